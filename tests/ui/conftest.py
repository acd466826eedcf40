"""A shop and a desk in front of it, for what stands between the services and the browser."""

import pytest
from app_shop import open_app_shop, settings_of

from mmcore.ui.desk import Desk


@pytest.fixture
def app_shop(tmp_path):
    shop = open_app_shop(tmp_path / "home")
    yield shop
    shop.store.close()


@pytest.fixture
def desk_of(app_shop):
    """Return a function that seats a person of the shop."""

    def seat(name: str) -> Desk:
        settings = settings_of(app_shop.home)
        return Desk(settings, app_shop.workspace, app_shop.store, app_shop.people[name])

    return seat

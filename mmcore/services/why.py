"""Why a model answers as it does, view by view: its words, its photo, what each is worth.

A view of one modality is explained as the answer to the product that has nothing else, which is
what it is: of one modality there is nothing to fuse.
"""

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mmcore.config import FUSED, IMAGE, TEXT
from mmcore.services.answers import Answer, ViewAnswer

if TYPE_CHECKING:
    from mmcore.explain import Explanation
    from mmcore.runtime import ProductInput, Runtime

_QUALITY = 85  # of the JPEG that is shown


@dataclass(frozen=True)
class ViewWhy:
    """Why one view gives its first choice the probability it does.

    Attributes:
        name: of the class in question.
        weights: word -> log-probability that the class loses without it; {} without a text.
        regions: rows of contributions of the photo's parts, () without a photo.
        ablation: (modality, probability without it; None where nothing else is left).
    """

    view: str
    code: str
    name: str
    weights: dict[str, float]
    regions: tuple[tuple[float, ...], ...]
    ablation: tuple[tuple[str, float | None], ...]


@dataclass(frozen=True)
class Why:
    """Why, for every view that has an answer.

    Attributes:
        photo: JPEG of the photo as the network sees it, so that regions lie where they belong;
            b"" where no view looked at it.
    """

    views: tuple[ViewWhy, ...]
    photo: bytes

    def view(self, name: str) -> ViewWhy | None:
        """Return one view's reasons, None where it has no answer or none were asked for."""
        return next((view for view in self.views if view.view == name), None)


def explain_views(runtime: "Runtime", product: "ProductInput", said: Answer) -> Why:
    """Return why the text, image and fused views answer as they do.

    Args:
        said: the answer to the same product.
    """
    alone = {
        TEXT.name: replace(product, photo=None, extra={}),
        IMAGE.name: replace(product, title="", description="", extra={}),
    }
    single = [v for v in said.views if v.view != FUSED and v.best]
    found = [_of_view(runtime, alone[view.view], view) for view in single if view.view in alone]
    if len(single) > 1 or not found:
        found.append(_of_view(runtime, product, said.view(FUSED)))
    else:  # the only view is the fused one
        found.append(replace(found[0], view=FUSED))
    has_regions = any(view.regions for view in found)
    return Why(tuple(found), _seen_photo(product) if has_regions else b"")


def _of_view(runtime: "Runtime", product: "ProductInput", view: ViewAnswer) -> ViewWhy:
    from mmcore.explain import explain

    found: Explanation = explain(runtime, product, code=view.best.code)
    regions = () if found.regions is None else found.regions.astype(float).tolist()
    return ViewWhy(
        view=view.view,
        code=view.best.code,
        name=view.best.name_fr,
        weights={word.word: word.weight for word in found.words if word.modality == TEXT.name},
        regions=tuple(map(tuple, regions)),
        ablation=tuple((row.modality, row.without_it) for row in found.ablation),
    )


def _seen_photo(product: "ProductInput") -> bytes:
    from PIL import Image

    from mmcore.images import decode_photo

    file = io.BytesIO()
    Image.fromarray(decode_photo(product.photo)).save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()

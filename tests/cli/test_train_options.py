"""What `train` and `retrain` make of the words of their shared options."""

import pytest

from mmcore.cli.train_options import modality_words
from mmcore.errors import ConfigError


def test_spaces_around_modalities_do_not_count():
    assert modality_words(" text, price ,") == ("text", "price")
    assert modality_words(None) is None


@pytest.mark.parametrize("text", ["", " , "])
def test_a_list_without_a_name_is_refused(text):
    with pytest.raises(ConfigError, match="names none; write for example text,image"):
        modality_words(text)

"""Uploads on page Explore: what is refused is a sentence, and the sentence goes with the next file that is not."""

import pytest

from tests.attacks import hostile_files as hostile

HEIGHTS = hostile.numpy_heights(hostile.ramp(64))
PICTURE = hostile.saved(hostile.noise(64), "PNG")


def bring(app, name, data):
    return app.file_uploader[0].upload(name, data, "application/octet-stream").run()


def words(app):
    return [error.value.replace("\\", "") for error in app.error]


BAD = {
    "minus.npy": hostile.numpy_file("-" * 9000),  # MemoryError in Python's parser
    "booleans.npy": hostile.numpy_file(hostile.numpy_header("(True, True)"), content=bytes(4)),  # TypeError
    "tiles.tif": hostile.tiled_tiff(65_536),
    "setup.png": b"MZ\x90\0" + bytes(2000),
    "texts.png": hostile.text_png(2_000),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_a_sentence_until_a_good_one_comes(both, drawn, name):
    app = bring(both, name, BAD[name])
    assert not app.exception
    (sentence,) = words(app)
    assert sentence.startswith(f"{name} (")
    app = bring(app, "field.png", PICTURE)
    assert not app.exception
    assert not app.error
    assert "overlay" in drawn["panes"][0]


@pytest.mark.parametrize("name", ["heights.npy", "field.png"])
def test_good_files_are_asked(both, drawn, name):
    app = bring(both, name, HEIGHTS if name.endswith(".npy") else PICTURE)
    assert not app.exception
    assert not app.error
    assert "overlay" in drawn["panes"][0]


def test_a_file_that_was_refused_leaves_the_answer_as_it_was(both, drawn):
    app = bring(both, "field.png", PICTURE)
    before = drawn["panes"][0]["overlay"]["url"]
    app = bring(app, "setup.png", BAD["setup.png"])
    assert len(words(app)) == 1
    assert drawn["panes"][0]["overlay"]["url"] == before

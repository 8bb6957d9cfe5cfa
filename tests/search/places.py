"""Places of an explorer's gallery and what its model takes of them."""


def gallery(explorer):
    places = explorer.atlas.places
    return places[places["gallery"]]


def window(explorer, modality, place):
    raster = explorer.atlas.raster(modality)
    return raster.window((place["lat"], place["lon"]), explorer.atlas.window_m, explorer.input_px(modality))

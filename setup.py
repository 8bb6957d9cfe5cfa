"""What pyproject.toml cannot say: the folder ``assets`` becomes package data, ``unigeoclip/_assets``, of the wheel.

Everything else about the package is in pyproject.toml.
"""

from setuptools import find_packages, setup

DATA = [
    "ATTRIBUTION.md",
    "atlases/boston/**/*",  # by name: an atlas that somebody has built beside them is not for everyone
    "atlases/world/**/*",
    "baselines/**/*",
    "gazetteer/*",
    "results/**/*",
    "web/leaflet/**/*",  # in exported maps, which work without a network
    "web/icon.svg",  # and what the scripts of sites import
    "web/*.js",
    "web/components/map/*",
    "web/site/**/*",
]

setup(
    packages=[*find_packages(include=["unigeoclip", "unigeoclip.*"]), "unigeoclip._assets"],
    package_dir={"unigeoclip._assets": "assets"},
    package_data={
        "unigeoclip": ["py.typed", "*.pyi", "**/*.geojson", "export/templates/*.html"],
        "unigeoclip._assets": DATA,
    },
    include_package_data=False,  # the app's scripts and the pictures of the documentation stay in the source archive
)

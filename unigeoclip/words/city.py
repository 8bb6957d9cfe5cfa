"""The phrases that describe parts of a city, by kind: what a window of some hundred meters can be like, without names.

Kinds have some twenty phrases each, so that none wins by its number. Phrases are what people would type, one to five
words, and say one thing. None speaks of who lives somewhere: no encoder sees that.
"""

from __future__ import annotations

# fmt: off
CITY: dict[str, tuple[str, ...]] = {
    "housing": (
        "brick row houses", "terraced houses wall to wall", "narrow old row houses", "town houses",
        "closely built wooden houses", "multi-family houses", "triple-decker houses", "houses with several flats",
        "apartment buildings", "large apartment blocks", "high-rise apartments", "public housing complex",
        "single-family homes", "detached houses with gardens", "family houses with small yards", "suburban houses",
        "large villas with lawns", "houses on large plots", "scattered houses among trees", "houses by the water",
        "student dormitories", "garden suburb", "new residential towers",
    ),
    "buildings": (
        "skyscrapers", "tall office towers", "high-rise buildings", "mid-rise blocks", "low-rise buildings",
        "large flat-roofed buildings", "long warehouse buildings", "big building complexes",
        "small detached buildings", "old brick buildings", "glass office buildings", "buildings wall to wall",
        "buildings around courtyards", "institutional buildings with lawns", "no tall buildings",
        "hardly any buildings", "empty lots between buildings", "modern towers by the water", "greenhouses and sheds",
        "parking garages",
    ),
    "density": (
        "dense inner city", "central business district", "dense city blocks", "tightly packed houses",
        "crowded residential streets", "closely built neighborhood", "compact old quarter",
        "medium-density neighborhood", "ordinary residential streets", "low-density suburb", "loosely built suburb",
        "outskirts of the city", "edge of town", "sparsely built land", "almost no houses", "open surroundings",
        "city center", "quiet residential suburb", "uninhabited land", "urban village",
    ),
    "shops": (
        "shopping street", "shopping center", "shopping mall", "big stores with parking lots", "department stores",
        "clothes shops", "local main street with shops", "small neighborhood shops", "supermarket",
        "convenience store", "grocery stores", "hair salons and laundries", "banks and offices", "gas station",
        "car repair shops", "hardware store", "bookstores", "market hall", "furniture stores", "no shops nearby",
        "hotels", "pharmacy",
    ),
    "food and nightlife": (
        "restaurants and bars", "many places to eat", "lively entertainment district", "nightlife and clubs", "pubs",
        "coffee shops", "bakery", "pizza place", "Chinese restaurants", "Italian restaurants", "Mexican food",
        "seafood restaurant", "sushi", "fast food by the road", "ice cream parlor", "food court",
        "neighborhood restaurant", "student bars", "fine dining", "sandwich shop",
    ),
    "industry": (
        "industrial area", "warehouses and factories", "warehouse district", "container port", "cargo terminal",
        "freight depot", "works and storage yards", "power plant", "oil tanks", "scrap yard", "construction site",
        "truck parking", "docks and cranes", "old mill buildings", "business park", "research laboratories",
        "sewage treatment plant", "quarry", "distribution center", "vacant industrial land",
    ),
    "rail and air": (
        "rail yard", "many railway tracks side by side", "railway line", "train station", "subway station",
        "tram stop", "bus station", "ferry terminal", "airport runways", "airport terminal", "aircraft stands",
        "freight trains", "elevated railway", "railway bridge", "commuter rail station", "bus stops",
        "no public transport nearby", "bicycle path", "railway through houses", "transit hub",
    ),
    "streets": (
        "highway interchange", "next to the highway", "busy main road", "wide avenue", "wide roads and junctions",
        "quiet side streets", "tree-lined streets", "narrow winding streets", "regular street grid",
        "dead-end streets", "curved suburban streets", "cobbled streets", "pedestrian street", "bridge over the river",
        "road along the shore", "parking lots", "large paved area", "traffic circle", "country road", "no roads",
        "footpaths", "alleys behind houses",
    ),
    "fresh water": (
        "by the river", "riverbank", "wide river", "small stream", "by a lake", "lakeside", "by a pond",
        "pond in a park", "reservoir", "canal", "river with boats", "park along the river", "bridges across the river",
        "water on one side", "houses around a pond", "dam", "brook through woods", "rowing on the river",
        "riverside path", "far from any water",
    ),
    "coast and harbor": (
        "by the sea", "ocean shore", "sandy beach", "rocky shore", "harbor with docks", "wharves and piers",
        "marina with sailboats", "waterfront", "waterfront promenade", "island in the harbor", "small island",
        "open water all around", "salt marsh", "tidal flats", "houses by the beach", "peninsula", "lighthouse",
        "seawall", "ferry docks", "bay", "fishing pier",
    ),
    "parks": (
        "public park", "large city park", "lawns and paths", "playground", "community garden", "botanical garden",
        "cemetery", "old graveyard", "dog park", "picnic area", "park with a pond", "small square with trees",
        "parkland with old trees", "green between houses", "landscaped grounds", "golf course", "village green", "zoo",
        "park by the sea", "linear park", "monument in a park",
    ),
    "nature": (
        "woods", "forest with trails", "wooded hills", "patch of woods", "nature reserve", "marsh", "wetland",
        "reeds and marsh", "meadow", "open fields", "farmland", "orchard", "scrubland", "many trees",
        "hardly any trees", "no greenery", "green surroundings", "bare ground", "dense tree canopy",
        "leafy neighborhood", "grassland", "wild shore",
    ),
    "terrain": (
        "hilly streets", "on a hilltop", "steep slope", "flat land", "flat reclaimed land", "rolling hills",
        "rocky outcrops", "valley", "low-lying land by the water", "high ground with a view", "cliffs", "level ground",
        "land near sea level", "gentle slope", "drumlin hill", "flood plain", "ridge", "embankment",
    ),
    "education and health": (
        "university campus", "college buildings", "school", "elementary school", "high school with sports fields",
        "kindergarten", "library", "hospital", "medical center", "doctors and clinics", "dentist", "nursing home",
        "campus with lawns", "research institute", "law school", "medical school", "art school",
        "private school grounds", "student quarter", "university library",
    ),
    "culture and civic": (
        "museum", "museums and theaters", "theater district", "art gallery", "concert hall", "cinema", "church",
        "churches", "synagogue", "mosque", "monument", "historic sights", "historic district", "tourist attractions",
        "city hall", "government buildings", "courthouse", "fire station", "police station", "post office",
        "community center", "embassy",
    ),
    "sport": (
        "sports fields", "baseball field", "football stadium", "sports arena", "soccer field", "tennis courts",
        "basketball court", "ice rink", "swimming pool", "running track", "skate park", "gym and fitness", "boathouse",
        "yacht club", "country club", "sports center", "ball fields by the water", "hockey arena", "racetrack",
        "athletic grounds of a school",
    ),
    "character": (
        "quiet neighborhood", "lively neighborhood", "busy place", "noisy place", "old town", "new development",
        "family neighborhood", "young people and students", "tourists", "remote and empty", "green and quiet",
        "industrial and gray", "picturesque old streets", "commuter suburb", "calm residential area",
        "center of activity", "place to walk", "rundown buildings", "spacious and green", "crowded and loud",
    ),
}
# fmt: on

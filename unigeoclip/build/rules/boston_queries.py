"""Plain text queries on Boston and their rules, as expressions of the outlines of ``boston_rules.geojson``."""

from __future__ import annotations

from unigeoclip.build.rules.city_outlines import CityRuleSpec

__all__ = ["BOSTON_PARAPHRASED", "BOSTON_QUERIES"]


def _in_area(name: str, words: str = "the neighbourhood") -> CityRuleSpec:
    return CityRuleSpec(name, f"inside the outline of {words} {name}", lambda o: o.area(name))


def _at(query: str, words: str, *kinds: str, around_m: float = 0) -> CityRuleSpec:
    return CityRuleSpec(query, words, lambda o: o.kind(*kinds, around_m=around_m))


def _some(query: str, words: str, kind: str, names: tuple[str, ...]) -> CityRuleSpec:
    return CityRuleSpec(query, words, lambda o: o.some(kind, *names))


_BOSTON = (
    # Names.
    _in_area("Fenway"),
    _in_area("Back Bay"),
    _in_area("Beacon Hill"),
    _in_area("North End"),
    _in_area("Chinatown"),
    _in_area("South End"),
    _in_area("Roxbury"),
    _in_area("Jamaica Plain"),
    _in_area("Dorchester"),
    _in_area("South Boston"),
    _in_area("East Boston"),
    _in_area("Charlestown"),
    _in_area("Allston"),
    _in_area("Cambridge", "the city of"),
    _in_area("Somerville", "the city of"),
    _in_area("Brookline", "the town of"),
    _in_area("Newton", "the city of"),
    _in_area("Quincy", "the city of"),
    CityRuleSpec("Harvard Square", "within about 500 m of Harvard Square", lambda o: o.area("Harvard Square")),
    CityRuleSpec("Kendall Square", "within about 500 m of Kendall Square", lambda o: o.area("Kendall Square")),
    _at("Boston Common", "on Boston Common or the Public Garden, or within 100 m", "common", around_m=100),
    CityRuleSpec("Charles River", "within 300 m of the Charles", lambda o: o.named("river", "Charles River")),
    # Land and water.
    _at(
        "park by the river",
        "within 220 to 500 m of the stretches of the Charles, Mystic, Neponset and Muddy River that parks line",
        "riverside park",
    ),
    _at("harbour with docks", "within 330 m of a harbour front with wharves, piers or a marina", "harbour front"),
    _at("beach", "within about 200 m of one of the beaches", "beach"),
    _at("woods", "in one of the larger woods, or within 100 m", "woods", around_m=100),
    _at("pond", "within about 200 m of the shore of a pond, lake or reservoir", "pond"),
    _at("salt marsh", "in one of the marshes by the sea, rivers and brooks, or within 100 m", "marsh", around_m=100),
    CityRuleSpec("island in the harbour", "on an island of Boston Harbor", lambda o: o.kind("island", around_m=100)),
    _at("golf course", "on a golf course, or within 150 m", "golf", around_m=150),
    _at("cemetery", "in a cemetery, or within 120 m", "cemetery", around_m=120),
    # Fabric.
    _at(
        "downtown towers",
        "in the financial district, at Government Center, the Prudential, Copley or Fan Pier, or within 100 m",
        "towers",
        around_m=100,
    ),
    _at(
        "quiet residential streets",
        "in one of the quarters of family houses or the leafy suburbs, as drawn",
        "quiet quarter",
        "gardens",
    ),
    _at("large houses with gardens", "in one of the leafy, loosely built suburbs", "gardens"),
    CityRuleSpec(
        "brick row houses",
        "in Back Bay, Beacon Hill, the North End, the South End, or among the rows of Charlestown, South Boston, Bay "
        "Village, Jeffries Point, the eastern Fens and Roxbury",
        lambda o: o.area("Back Bay", "Beacon Hill", "North End", "South End") | o.kind("rows"),
    ),
    _at("triple-decker houses", "in one of the quarters that are known for triple-deckers", "triple-deckers"),
    _at(
        "warehouses and factories", "in an industrial area or port, or within 100 m", "industry", "docks", around_m=100
    ),
    _at("container port", "at a cargo terminal or industrial docks, or within 150 m", "docks", around_m=150),
    _at("rail yard", "within 200 to 330 m of one of the yards and wide bands of tracks", "rail"),
    _at("airport", "on Logan airport, or within 150 m", "airport", around_m=150),
    # Activities.
    _at("university campus", "on the campus of a university or college, or within 100 m", "campus", around_m=100),
    CityRuleSpec(
        "restaurants in Brighton",
        "in Brighton, within 260 m of a street where its restaurants are",
        lambda o: o.kind("restaurants of Brighton") & o.area("Brighton"),
    ),
    _at("hospital", "within about 300 m of a hospital", "hospital", around_m=50),
    _at("shopping mall", "within about 300 m of a shopping centre or mall", "mall"),
    _at("museum", "within 300 m of a museum", "museum", around_m=40),
    _at("sports stadium", "within about 300 m of a stadium or arena", "stadium"),
    _at("theatre district", "in the Theatre District, or close to another theatre", "theatre", around_m=50),
    _at("zoo", "in Franklin Park Zoo or Stone Zoo, or within 100 m", "zoo", around_m=100),
)
# Names of outlines that one rule takes out of a kind.
_WEALTHY = (
    *("Chestnut Hill and south Brookline", "Brookline hills", "Belmont Hill", "Milton", "Moss Hill and the Jamaicaway"),
    *("Waban and West Newton Hill", "Newton Corner hills", "Dedham and Westwood", "West Cambridge", "Winchester west"),
)
_SEA_BEACHES = (
    *("Carson Beach to Castle Island", "Pleasure Bay", "Constitution Beach", "Winthrop Beach", "Yirrell Beach"),
    *("Short Beach", "Malibu Beach", "Tenean Beach", "Squantum beaches", "Lynn and Nahant beaches", "Wollaston Beach"),
    *("Revere Beach", "Merrymount and Houghs Neck beaches"),
)
_RESERVOIRS = (
    *("Chestnut Hill Reservoir", "Fresh Pond", "Jamaica Pond", "Brookline Reservoir", "Arlington Reservoir"),
    *("Fells reservoirs", "Spot Pond", "Horn Pond"),
)
_HIKES = (
    *("Middlesex Fells", "Stony Brook Reservation", "Cutler Park", "Hammond Woods and Webster", "Prospect Hill"),
    *("McLean and Rock Meadow", "Metropolitan State and Beaver Brook", "Lynn Woods edge and Saugus", "Wilson Mountain"),
    *("Horn Pond Mountain", "Mount Hood", "Needham Town Forest", "Nahanton Park", "Whipple Hill and Turkey Hill"),
    *("Brook Farm and Millennium Park", "Great Meadows", "Lexington conservation land", "Allandale Woods"),
)
_MARINAS = (
    *("Downtown and North End wharves", "Charlestown Navy Yard", "South Boston yacht clubs", "Savin Hill yacht clubs"),
    *("Port Norfolk", "Marina Bay", "Winthrop marinas", "Orient Heights yacht clubs", "Town River and Fore River"),
)
_FREIGHT = (
    *("Beacon Park", "Boston Engine Terminal", "Sullivan and Mystic yards", "Everett Chelsea yard", "Readville"),
    "Widett and Dorchester branch",
)
_BIG_BOXES = (
    *("South Bay", "Gateway Center", "Wellington and Meadow Glen", "Northgate", "Square One", "Dedham Mall"),
    *("Arsenal Yards and Watertown Mall", "Fresh Pond", "Needham Street", "Mystic Mall", "Twin City Plaza"),
    *("Parkway Plaza", "American Legion", "Suffolk Downs shops"),
)
_EMERGENCY = (
    *("Longwood", "Massachusetts General", "Tufts Medical Center", "Boston Medical Center", "St Elizabeth's", "Carney"),
    *("Mount Auburn", "Newton-Wellesley", "Faulkner", "VA West Roxbury", "Cambridge Hospital", "Milton Hospital"),
    *("Whidden", "Melrose-Wakefield", "Quincy Medical Center"),
)
# In no caption word for word, neither now nor later: what they ask for has to be understood.
BOSTON_PARAPHRASED = (
    # Fabric.
    CityRuleSpec(
        "glass high-rises",
        "among the downtown towers, in Kendall Square or at a newer cluster of high-rises, or within 50 m",
        lambda o: o.kind("towers", "high-rises", around_m=50) | o.area("Kendall Square"),
    ),
    CityRuleSpec(
        "Victorian brownstones",
        "in Back Bay, the South End or the rows between Symphony Hall and the Fens",
        lambda o: o.area("Back Bay", "South End") | o.some("rows", "Symphony and East Fens"),
    ),
    _some("mansions", "in one of the wealthiest leafy suburbs, as drawn", "gardens", _WEALTHY),
    # Land and water.
    CityRuleSpec(
        "swimming in the ocean",
        "within about 200 m of a beach by the sea, or within 300 m of the open shore of Revere and Winthrop",
        lambda o: o.kind("open shore") | o.some("beach", *_SEA_BEACHES),
    ),
    _some(
        "reservoir with a walking path",
        "within 350 to 1,050 m of the middle of a reservoir or large pond that a path leads round",
        "pond",
        _RESERVOIRS,
    ),
    _some("hiking trails in the forest", "in one of the large woods with trails", "woods", _HIKES),
    CityRuleSpec(
        "sailboats and yachts",
        "within 330 m of a marina, a yacht club or a sailing pavilion",
        lambda o: o.kind("marina") | o.some("harbour front", *_MARINAS),
    ),
    _at("rowing on the river", "within 330 m of the Charles below Watertown or of a boathouse on the Mystic", "rowing"),
    # Traffic and industry.
    _at(
        "close to the subway",
        "within 350 m of a station of the Red, Orange or Blue Line or of the Green Line's tunnel",
        "subway",
    ),
    _at("highway interchange", "within 250 to 400 m of an interchange of highways or parkways", "interchange"),
    _at("planes taking off", "on Logan airport", "airport"),
    _some(
        "freight trains",
        "within 200 to 330 m of a yard or a band of tracks where freight is or was moved",
        "rail",
        _FREIGHT,
    ),
    CityRuleSpec(
        "oil tanks",
        "at an oil terminal on Chelsea Creek or the Mystic, at the Fore River, or at the gas tank of Commercial Point",
        lambda o: o.kind("oil") | o.some("docks", "Chelsea Creek", "Revere oil terminals", "Fore River"),
    ),
    # Activities.
    _some("big box stores", "within about 400 m of a center of large stores with parking lots", "mall", _BIG_BOXES),
    _at("designer boutiques", "on Newbury or Charles Street, or at another place of expensive shops", "boutiques"),
    _at("nightclubs and cocktail bars", "within 200 to 380 m of a center of nightlife", "nightlife"),
    _some("emergency room", "within about 300 m of a hospital with an emergency department", "hospital", _EMERGENCY),
    _at("biotech labs", "within 200 to 500 m of a cluster of laboratories", "biotech"),
    CityRuleSpec(
        "college students",
        "in Allston, the Fenway, Mission Hill, at Kenmore Square, Cleveland Circle, Harvard, MIT, Northeastern or "
        "Tufts, or on a campus",
        lambda o: o.area("Allston", "Fenway") | o.kind("students", "campus"),
    ),
    _at(
        "American Revolution sights",
        "on the Freedom Trail, or within 150 to 350 m of another sight of the Revolution",
        "revolution",
    ),
)

BOSTON_QUERIES = (*_BOSTON, *BOSTON_PARAPHRASED)

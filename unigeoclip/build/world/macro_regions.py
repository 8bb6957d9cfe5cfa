"""Names people use for parts of continents, and the countries (ISO codes) each one covers."""

from __future__ import annotations

PARTS_OF_CONTINENTS: dict[str, str] = {
    "Scandinavia": "NO SE DK",
    "Northern Europe": "NO SE DK FI IS EE LV LT FO AX SJ GB IE IM GG JE",
    "the Nordic countries": "NO SE DK FI IS FO AX SJ GL",
    "the British Isles": "GB IE IM",
    "Western Europe": "FR BE NL LU DE CH AT LI MC",
    "the Low Countries": "NL BE LU",
    "Central Europe": "DE CH AT LI PL CZ SK HU SI",
    "Eastern Europe": "PL CZ SK HU RO BG MD UA BY",
    "the Baltic states": "EE LV LT",
    "Southern Europe": "ES PT IT GR MT AD SM VA GI HR SI BA ME AL MK RS XK CY",
    "the Iberian Peninsula": "ES PT AD GI",
    "the Balkans": "HR BA ME AL MK RS XK BG GR RO SI",
    "the Caucasus": "GE AM AZ",
    "North Africa": "MA DZ TN LY EG SD EH",
    "the Maghreb": "MA DZ TN LY MR EH",
    "West Africa": "MR ML NE SN GM GW GN SL LR CI BF GH TG BJ NG CV",
    "the Sahel": "SN MR ML BF NE TD SD",
    "Central Africa": "TD CM CF GQ GA CG CD AO ST",
    "East Africa": "ET ER DJ SO KE UG TZ RW BI SS MG MW MZ ZM",
    "the Horn of Africa": "ET ER DJ SO",
    "Southern Africa": "ZA NA BW ZW MZ LS SZ ZM MW AO",
    "sub-Saharan Africa": "SN ML NE TD GM GW GN SL LR CI BF GH TG BJ NG CM CF GQ GA CG CD AO ET KE UG TZ RW BI SS "
    "MW MZ ZM ZW NA BW ZA LS SZ SO MG",
    "islands of the Indian Ocean": "MG MU RE SC KM YT MV IO",
    "the Middle East": "TR SY LB IL PS JO IQ IR SA YE OM AE QA BH KW EG CY",
    "the Arabian Peninsula": "SA YE OM AE QA BH KW",
    "the Levant": "SY LB IL PS JO",
    "Western Asia": "TR SY LB IL PS JO IQ IR SA YE OM AE QA BH KW GE AM AZ CY",
    "Central Asia": "KZ UZ TM KG TJ",
    "South Asia": "IN PK BD LK NP BT MV AF",
    "the Indian subcontinent": "IN PK BD LK NP BT",
    "East Asia": "CN JP KR KP MN TW HK MO",
    "the Far East": "CN JP KR KP TW HK MO",
    "Southeast Asia": "MM TH LA KH VN MY SG ID PH BN TL",
    "Indochina": "VN LA KH TH MM",
    "Central America": "GT BZ HN SV NI CR PA",
    "Latin America": "MX GT BZ HN SV NI CR PA CU DO HT PR CO VE EC PE BO BR PY UY AR CL GF",
    "the Caribbean": "CU JM HT DO PR BS TT BB GD LC VC DM AG KN AI MS GP MQ BL MF SX CW AW BQ VG VI KY TC",
    "the Andean countries": "CO EC PE BO CL VE",
    "the Southern Cone": "AR CL UY",
    "the Guianas": "GY SR GF",
    "Australia and New Zealand": "AU NZ",
    "Melanesia": "PG SB VU FJ NC",
    "Polynesia": "WS TO TV PF CK NU WF TK PN AS",
    "Micronesia": "FM MH PW KI NR GU MP",
    "the South Pacific": "PG SB VU FJ NC WS TO TV PF CK NU WF TK PN AS NZ",
    "the Arctic": "GL SJ",
}

# Names people use for parts of large countries: (country code, part) -> first-level regions.
PARTS_OF_COUNTRIES: dict[tuple[str, str], str] = {
    ("US", "New England"): "Maine|New Hampshire|Vermont|Massachusetts|Rhode Island|Connecticut",
    (
        "US",
        "the Midwest",
    ): "Ohio|Michigan|Indiana|Illinois|Wisconsin|Minnesota|Iowa|Missouri|North Dakota|South Dakota|Nebraska|Kansas",
    (
        "US",
        "the American South",
    ): "Virginia|North Carolina|South Carolina|Georgia|Florida|Alabama|Mississippi|Louisiana|Arkansas"
    "|Tennessee|Kentucky|Texas|Oklahoma",
    ("US", "the American Southwest"): "Arizona|New Mexico|Nevada|Utah|Texas",
    (
        "US",
        "the American West",
    ): "Arizona|New Mexico|Nevada|Utah|Colorado|Wyoming|Montana|Idaho|California|Oregon|Washington",
    ("US", "the US West Coast"): "California|Oregon|Washington",
    (
        "US",
        "the US East Coast",
    ): "Maine|New Hampshire|Massachusetts|Rhode Island|Connecticut|New York|New Jersey|Delaware|Maryland"
    "|Virginia|North Carolina|South Carolina|Georgia|Florida",
    ("CA", "the Canadian Prairies"): "Alberta|Saskatchewan|Manitoba",
    ("CA", "Northern Canada"): "Yukon|Northwest Territories|Nunavut",
    ("CA", "Atlantic Canada"): "New Brunswick|Nova Scotia|Prince Edward Island|Newfoundland and Labrador",
    ("BR", "Northeast Brazil"): "Bahia|Sergipe|Alagoas|Pernambuco|Paraíba|Rio Grande do Norte|Ceará|Piauí|Maranhão",
    ("BR", "Southern Brazil"): "Paraná|Santa Catarina|Rio Grande do Sul",
}


def parts_by_region() -> dict[tuple[str, str], tuple[str, ...]]:
    """(ISO code, first-level region) -> names of the parts of the country it belongs to, in the order of the table."""
    parts: dict[tuple[str, str], list[str]] = {}
    for (code, part), regions in PARTS_OF_COUNTRIES.items():
        for region in regions.split("|"):
            parts.setdefault((code, region), []).append(part)
    return {key: tuple(names) for key, names in parts.items()}


def parts_by_country() -> dict[str, tuple[str, ...]]:
    """ISO code -> names of the parts of continents it belongs to, in the order of the table."""
    parts: dict[str, list[str]] = {}
    for part, codes in PARTS_OF_CONTINENTS.items():
        for code in codes.split():
            parts.setdefault(code, []).append(part)
    return {code: tuple(names) for code, names in parts.items()}

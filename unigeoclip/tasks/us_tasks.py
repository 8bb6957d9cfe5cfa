"""The built-in tasks of the United States: figures of counties."""

from __future__ import annotations

from unigeoclip.tasks.task import Pack, Task

__all__ = ["COUNTY_COLUMNS", "ELECTION", "PACKS", "US_TASKS"]

COUNTIES = Pack(
    "us-counties",
    "Counties of the United States",
    "us",
    ("county outlines", "county health", "county election"),
    "us_counties.make",
    splits=("random", "blocks", "state"),
    group_name="state",
)
PACKS = (COUNTIES,)
ELECTION = "us-election-2024"

# Column of the file -> name, title, unit; values of those whose unit is a log10 are taken as log10(1 + value).
COUNTY_COLUMNS: dict[str, tuple[str, str, str]] = {
    "% Fair or Poor Health": ("us-poor-health", "Fair or poor health", "% of adults"),
    "Average Number of Physically Unhealthy Days": (
        "us-physically-unhealthy-days", "Physically unhealthy days", "days a month",
    ),
    "Average Number of Mentally Unhealthy Days": (
        "us-mentally-unhealthy-days", "Mentally unhealthy days", "days a month",
    ),
    "% Low birthweight": ("us-low-birthweight", "Low birth weight", "% of births"),
    "% Smokers": ("us-smokers", "Smokers", "% of adults"),
    "% Adults with Obesity": ("us-obesity", "Obesity", "% of adults"),
    "Food Environment Index": ("us-food-environment", "Food environment", "index 0 to 10"),
    "% Physically Inactive": ("us-inactive", "Physical inactivity", "% of adults"),
    "% Excessive Drinking": ("us-excessive-drinking", "Excessive drinking", "% of adults"),
    "# Alcohol-Impaired Driving Deaths": ("us-driving-deaths", "Deaths by drunk driving", "log10(1 + deaths)"),
    "Teen Birth Rate": ("us-teen-births", "Teen births", "per 1,000 women of 15 to 19"),
    "% Uninsured": ("us-uninsured", "Without health insurance", "% under 65"),
    "% With Annual Mammogram": ("us-mammogram", "Yearly mammogram", "% of women on Medicare"),
    "% Vaccinated": ("us-vaccinated", "Flu vaccination", "% on Medicare"),
    "% Children in Poverty": ("us-child-poverty", "Children in poverty", "%"),
    "80th Percentile Income": ("us-income-80", "Income, 80th percentile", "log10(1 + US$)"),
    "20th Percentile Income": ("us-income-20", "Income, 20th percentile", "log10(1 + US$)"),
    "% Children in Single-Parent Households": ("us-single-parents", "Children with a single parent", "%"),
    "Violent Crime Rate": ("us-violent-crime", "Violent crime", "log10(1 + crimes per 100,000)"),
    "Average Daily PM2.5": ("us-fine-dust", "Fine particles in the air (PM2.5)", "µg/m³"),
    "% Severe Housing Problems": ("us-housing-problems", "Severe housing problems", "% of households"),
    "% Drive Alone to Work": ("us-drive-alone", "Drive alone to work", "% of workers"),
    "% Long Commute - Drives Alone": ("us-long-commute", "Long commute", "% of those who drive alone"),
}  # fmt: skip

_READING = (
    "A row is a county, its vector the mean over points inside; R2 = 1 is perfect, 0 is the mean. Random folds test "
    "between neighbors, whole states or blocks test what is known of the kind of place."
)

US_TASKS = (
    *(
        Task(name, title, f"{title}, by county (County Health Rankings)", "regression", unit, COUNTIES, _READING)
        for name, title, unit in COUNTY_COLUMNS.values()
    ),
    Task(
        ELECTION,
        "Election of 2024",
        "Margin of the Republican candidate over the Democratic one, by county",
        "regression",
        "percentage points",
        COUNTIES,
        _READING,
    ),
)

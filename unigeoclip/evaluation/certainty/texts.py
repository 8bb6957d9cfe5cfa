"""Texts for fitting and testing whether a text is about anything in an atlas: about no place, and in people's words.

"Foreign" texts are about no place at all; none of their words were chosen by looking at a model. The two halves of a
list, even and odd rows, are disjoint: one fits, the other tests. Captions are not in it: most people do not type them.
"""

from __future__ import annotations

import random
import string

__all__ = ["about_city", "about_no_place", "about_world", "random_letters"]

_NO_PLACE = """
quarterly tax return; asdf qwer; lorem ipsum dolor sit amet; how to tie a tie; my password is wrong; stapler; paperclip
invoice number 4711; happy birthday to you; the square root of two; chocolate chip cookies; guitar chords; toothbrush
machine learning conference deadline; buy cheap watches online; I feel sad today; what time is it; to be or not to be
knitting pattern for socks; hexadecimal; javascript promise; null pointer exception; select star from table; git rebase
printer out of toner; battery charger; headphones; vitamin C tablets; blood pressure; dentist appointment; wisdom tooth
wedding invitation; divorce lawyer; birthday cake recipe; scrambled eggs; a cup of coffee please; peanut butter; ketchup
laundry detergent; vacuum cleaner bag; lipstick; hair dryer; nail polish remover; wool sweater; leather shoes; necktie
electric guitar solo; piano sonata in C minor; jazz saxophone; opera singer; drum kit; violin strings; karaoke night
chess opening; poker hand; crossword puzzle; sudoku; dungeons and dragons; video game controller; board game night
quantum entanglement; photosynthesis equation; DNA polymerase; Pythagorean theorem; integral calculus; prime numbers
Shakespeare sonnet; detective novel; comic book hero; poetry reading; grammar mistake; past participle; spelling bee
my cat is sleeping; golden retriever puppy; goldfish; hamster wheel; parrot that talks; unicorn; dragon; vampire
I love you; good morning; thank you very much; see you later; sorry I am late; congratulations; how are you
stock market crash; interest rate; mortgage calculator; cryptocurrency wallet; pension fund; insurance claim; salary
job interview questions; resume template; meeting agenda; annual performance review; out of office reply; resignation
smartphone screen repair; wifi password; USB cable; keyboard shortcut; computer virus; cloud storage plan; spam email
flu symptoms; headache pill; broken arm; allergy to nuts; yoga breathing; push ups; weight loss diet; sleep disorder
abstract painting; watercolor brush; oil on canvas; sculpture of a head; black and white portrait; wedding photographer
funny cat video; movie trailer; season finale; talk show host; podcast episode; radio jingle; cartoon mouse; meme
dishwasher manual; microwave popcorn; frying pan; corkscrew; sharp knife; teapot; refrigerator door; kitchen sponge
algebra homework; exam results; multiple choice test; pencil case; school report card; graduation speech; thesis draft
horoscope for Leo; tarot card; lucky number seven; zodiac sign; ghost story; fortune cookie; crystal ball; magic trick
toy train; teddy bear; rubber duck; jigsaw; paper plane; balloon animal; yo-yo; doll with blue eyes; lego bricks
seven times eight; pi to ten digits; minus infinity; one two three four; ABCDEFG; xxxxx; 1234567; foo bar baz; n/a
political debate; election campaign slogan; human rights; constitutional amendment; tax evasion; parliamentary vote
existentialism; free will; the meaning of life; moral philosophy; cognitive bias; stoicism; logic puzzle; paradox
left handed scissors; wrench; screwdriver set; hammer and nails; sewing machine; glue stick; duct tape; drill bit
red; blue; very big; quickly; although; therefore; nothing; something else; maybe tomorrow; it depends; why not; yes
the quick brown fox; hello world; test test test; undefined; page not found; click here to subscribe; accept cookies
Steuererklärung; Zahnbürste; Guten Morgen; ich habe Hunger; feliz cumpleaños; cepillo de dientes; no entiendo nada
je ne sais pas; bonjour madame; machine à laver; buongiorno; spazzolino; quanto costa; god morgon; tandborste; obrigado
bom dia; szczoteczka do zębów; dzień dobry; kalsarikännit; hyvää huomenta; jó reggelt; günaydın; diş fırçası; selamat
blorptangle; frimblewick; zorgle mip; quixnar; wubba lubba; snarfblat; grumpledoodle; vexifly; plimtroon; dwizzle
hgfjdk sldkf; qwertyuiop; zxcvbnm; aaaaaa; lkjh poiu; mnbv cxz; dfgh; wsx edc rfv; plm okn; jjjj kkkk; yhn ujm; tgb
pregnancy test; baby stroller; diaper rash; bedtime story; parenting advice; teenage mood swings; grandmother's ring
carburetor; spark plug; engine oil; windshield wiper; flat tire; driving licence photo; bicycle bell; car stereo
perfume; silver necklace; diamond ring; sunglasses; handbag; umbrella; winter coat; white t-shirt; zipper; shoelace
protein shake; gluten free bread; vegan burger; sushi roll; spaghetti carbonara; garlic; mustard; orange juice; beer
"""

_CITY = """
houses with gardens; tall office buildings; streets with many trees; a place by the water; somewhere to eat; old houses
where students live; near a big hospital; boats; railway tracks; a big parking lot; soccer fields; quiet back street
lots of restaurants; near the subway; next to the river; large park with a pond; warehouses; apartment towers; cemetery
beach; busy highway; school playground; the harbor; near the airport; church on the corner; shopping street; bus stop
row houses; brick buildings; a bridge over the river; marsh; forest; playing fields; golf course; container port; pier
downtown; industrial area; college campus; residential neighborhood; wide avenue; narrow alley; big box store; mall
library; museum; theater; stadium; swimming pool; tennis courts; baseball diamond; fire station; police; city hall
where can I get coffee; nice place for a walk; somewhere green; skyscrapers; dense housing
suburban homes; wetland; grass; allotments; woods with a lake; island; waterfront promenade; yacht club; train station
grocery store nearby; pharmacy; bakery; bank; gym; hotel; bar with music; ice cream shop; bookstore; gas station; deli
pizza place; chinese food; sandwich shop; hair salon; laundromat; car repair; post office; kindergarten; high school
university buildings; science labs; hospital campus; nursing home; synagogue; mosque; chapel; monument; public square
playground for children; dog park; bike path; footpath along the stream; reservoir; steep hill; flat land by the sea
low houses; high rise apartments; detached houses with driveways; big roofs; factories; power station; rail yard
freeway interchange; tunnel entrance; parking garage; loading docks; office park; convention center; concert hall
street with shops; nightlife; cafes and bars; outdoor seating; farmers market; community garden; art gallery; cinema
"""

_WORLD = """
sandy desert; snowy mountains; jungle; farmland; big city; frozen north; grassy plains; tropical island; deep forest
volcano; rice fields; ice; near the sea; savanna with elephants; wide river; vineyards; dry and hot; rainy all year
very cold winters; high plateau; coral reef; fjords; swamp; glacier; where penguins live; where polar bears live
steppe; tundra; olive trees; monsoon; coffee plantations; wheat fields; pine forest; palm trees; sand dunes; canyon
lots of lakes; river delta; mountain village; crowded city in asia; small island in the pacific; sahara; himalaya
amazon rainforest; the alps; siberia; arabian desert; great plains; outback of australia; patagonia; scandinavia
mediterranean coast; west africa; central asia; middle of nowhere; near the equator; arctic coast; fishing village
rocky coast; salt flats; oasis; bamboo forest; cattle ranch; banana plantation; tea hills; mangroves; peat bog; heath
mountains; hills; flat land; lowland near a big river; capital of france; near tokyo; northern canada; southern india
island in the indian ocean; caribbean beach; greenland; antarctica; new zealand sheep country; african highlands
andes; rocky mountains; cold desert; warm and humid; four seasons; dry summers; mild wet winters; no trees; taiga
congo basin; gobi; kalahari; borneo; sumatra; iceland; black sea coast; baltic; russian plain; china's big cities
megacity; suburbs of a large town; remote wilderness; dense population; hot and wet; boreal forest; scrubland; prairie
great lakes; nile valley; ganges plain; mekong; horn of africa; balkans; iberia; british countryside; irish coast
japanese mountains; korean peninsula; philippines; indonesian volcanoes; mexican plateau; brazilian savanna; pampas
gulf coast; florida; california; alaska; quebec; texas; midwest corn; mountains of iran; turkish plateau; caucasus
"""


def _listed(text: str) -> list[str]:
    """The entries between semicolons and ends of lines, each once."""
    return list(
        dict.fromkeys(entry.strip() for line in text.splitlines() for entry in line.split(";") if entry.strip())
    )


def about_no_place() -> list[str]:
    """Texts about no place: things, sentences, other languages, made-up words, slips of the keyboard."""
    return _listed(_NO_PLACE)


def random_letters(count: int, seed: int) -> list[str]:
    """One to three words of random letters each, the same for a seed."""
    rng = random.Random(seed)
    return [
        " ".join("".join(rng.choices(string.ascii_lowercase, k=rng.randint(3, 9))) for _ in range(rng.randint(1, 3)))
        for _ in range(count)
    ]


def about_city() -> list[str]:
    """What people type to find places of a city."""
    return _listed(_CITY)


def about_world() -> list[str]:
    """What people type to find places of the Earth."""
    return _listed(_WORLD)

"""The word lists: everyday English and German words, phrases, sentences and numbers. Data only.

Left out on purpose: words of which instructions are made ("answer", "back", "letter"), which no reader could tell apart
from the instruction when they stand undelimited.
"""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _between_slashes(text: str) -> tuple[str, ...]:
    return tuple(" ".join(item.split()) for item in text.split("/"))


WORDS: tuple[str, ...] = _words(
    """
able actor adult agent alarm album alert alley alone amber anchor angel angle ankle apple april apron arch arm army
arrow artist ash atlas attic aunt autumn award baby bacon badge baker ball balloon bamboo banana band bank barn
barrel basin basket bath beach bead bean bear beard beaver bed bee bell belt bench berry bike bird bishop black
blade blanket block blue board boat body bone book boot border bottle bowl box boy brain branch brave bread breeze
brick bridge bright broom brother brown brush bucket bus bush butter button cabin cable cactus cake calm camel
camera camp canal candle candy cannon canoe canvas captain car card carpet carrot castle cat cave ceiling cellar
chain chair chalk cheese cherry chest chicken child chimney choice circle city clay clean clear clever cliff clock
cloth cloud clover coach coal coast coat cobra coffee coin cold comet copper coral corn corner cotton couch cousin
cow crab cradle crane crayon cream creek cricket crop crow crown crystal cube cup curtain cushion dance danger dark
dawn day deep deer desert desk dinner dirt dish diver doctor dog doll dolphin donkey door dragon dream dress drum
duck dust eagle early earth east easy edge egg elbow empty engine evening event eye face fair falcon family farm
farmer fast father feast feather fence fern field finger fire fish flag flame flat fleet flood floor flour flower
flute foam fog foot forest fork fossil fountain fox frame fresh friend frog frost fruit funnel galaxy game garage
garden garlic gate ghost giant ginger giraffe glass globe glove goat gold golden goose grain grape grass gravel gray
green grove guest guide guitar habit hail hair hammer hand happy harbor hat hawk hazel head heart heat heavy hedge
helmet herb hill honey hood hook horn horse hotel hour house human hunter ice icon idea igloo inch ink insect iron
island ivory jacket jaguar jam jar jazz jeans jelly jewel job joke journey judge juice jungle kettle key king
kitchen kite kitten knee knife knight knot ladder lady lake lamb lamp lane lantern laptop large laser laugh lawn
leaf leather lemon lens level library light lily lime linen lion lizard lobster lock log lotus lucky lunch machine
magic magnet mango map maple marble market mask meadow meal melon metal milk mill mint mirror mist model money
monkey month moon morning moss moth mother motor mountain mouse mud museum music nail napkin narrow nation nature
neck needle nephew nest net night noble noise noon north nose novel nurse nut oak oasis ocean office oil olive onion
orange orbit orchard organ otter oven owl oyster paddle page paint palace palm panda paper parade parent park parrot
party path peace peach peanut pear pearl pebble pen pencil people pepper piano picnic pigeon pillow pilot pine pink
pipe pirate pizza planet plant plate plum pocket poem poet pond pony potato powder prince puddle pump puppet purple
puzzle queen quick quiet quilt quiz rabbit radar radio raft rail rain ranch raven razor red reef ribbon rice rich
rider ring river road robin robot rocket roof room root rope rose round royal ruby rug ruler sail salad salmon salt
sand sandal satin saturn school scissors sea seal season secret seed shadow shark sheep shelf shell shield ship
shirt shoe shore silk silver singer sister sketch skin sky sleep slow small smoke smooth snail snake snow soap sock
sofa soft soldier song soup south spark spider spoon spring square stable stairs star station steam steel stone
storm story stove straw street string strong student sugar summer sun sweet swan table tail tailor tall tank tape
tea teacher team temple tent thunder tiger timber tiny toast tomato tongue tooth torch tower town toy track train
trap tree trumpet tulip tunnel turkey turtle umbrella uncle uniform unicorn union valley vanilla vapor velvet
village vine violet violin visitor voice volcano wagon walnut warm watch water wave wax weather wedding week west
whale wheat wheel whistle white wide wild willow wind window wine wing winter wise wolf wonder wood wooden wool yard
year yellow yogurt young zebra zero zigzag zipper zone
"""
)

GERMAN_WORDS: tuple[str, ...] = _words(
    """
Abend Ampel Anker Apfel Arzt Auge Auto Bahn Ball Baum Berg Bett Bild Birne Blatt Blume Boden Boot Brief Brille Brot
Bruder Brunnen Buch Burg Dach Dame Dorf Dose Ecke Ei Eimer Eis Ende Engel Ente Erde Esel Eule Fahne Farbe Feder Feld
Fenster Feuer Fisch Flasche Fluss Frage Frau Freund Frosch Fuchs Gabel Garten Gast Geld Gipfel Glas Glocke Gras Haar
Hafen Hahn Hammer Hand Haus Heft Hemd Herbst Herz Himmel Hof Holz Honig Hose Hund Hut Igel Insel Jacke Jahr Junge
Kaffee Kamm Karte Kasten Katze Keller Kerze Kette Kind Kirche Kissen Kleid Knopf Koch Koffer Kopf Korb Kreis Kuchen
Kugel Lampe Land Laub Leiter Licht Lied Luft Mann Mantel Maus Meer Messer Milch Mond Morgen Mutter Nacht Nadel Nase
Nebel Nest Obst Ofen Ohr Onkel Papier Pferd Pilz Platz Post Puppe Rad Regen Ring Rock Rose Sache Salz Sand Schaf
Schatz Schiff Schnee Schuh Schule See Seife Sommer Sonne Spiegel Stadt Stein Stern Strand Stuhl Suppe Tag Tante
Tasche Tasse Teller Tier Tisch Topf Traum Turm Uhr Vater Vogel Wagen Wald Wasser Weg Wiese Wind Winter Woche Wolf
Wolke Wort Zahn Zaun Zeit Ziege Zimmer Zug Zucker Zweig
"""
)

# what people ask to be said; apart from WORDS, because templates begin with some of them and none is asked about
EVERYDAY: tuple[str, ...] = _words(
    """
amen bad bravo bye cheers congratulations cool done fine good goodbye great hello hey hi hurray later maybe never nice
no okay oops perfect please sorry stop sure test thanks today tomorrow welcome wow yes yesterday
"""
)

PHRASES: tuple[str, ...] = _between_slashes(
    """
good morning / good night / see you soon / thank you / well done / open the door / close the window / red apple /
green tea / a cup of coffee / the blue house / the old bridge / a quiet street / on the table / under the tree /
behind the wall / over the river / ready to go / one more time / not today / maybe later / of course / at the
station / in the garden / two small birds / three big fish / a long winter / a warm summer / fresh bread / cold
water / hot soup / the last train / the first snow / a silver coin / a golden ring / never mind / happy birthday /
have fun / safe trip / no problem / my best friend / a new day / the night sky / the deep sea / a paper boat / the
wooden box / a broken clock
"""
)

GERMAN_PHRASES: tuple[str, ...] = _between_slashes(
    """
guten Morgen / gute Nacht / guten Tag / bis bald / vielen Dank / alles klar / ein Glas Wasser / das rote Auto / der
alte Turm / am Bahnhof / im Garten / unter dem Baum / ein neuer Tag / die kleine Katze / auf dem Tisch / kein
Problem / noch einmal / nach Hause / viel Erfolg / ein langer Weg
"""
)

SENTENCES: tuple[str, ...] = _between_slashes(
    """
The cat sleeps. / The sun is bright. / Birds can fly. / I like green tea. / We walk to school. / The door is open. /
It rains today. / She reads a book. / He plays the piano. / The train is late. / Snow is cold. / My dog can swim. /
The soup is hot. / They live in a village. / You won the game! / Where is the key? / What a nice day! / Is it noon?
/ The river runs to the sea. / A farmer feeds the horse. / The lamp is on. / Please wait here. / Time flies. / The
moon is full.
"""
)

GERMAN_SENTENCES: tuple[str, ...] = _between_slashes(
    """
Die Katze schläft. / Die Sonne scheint. / Es regnet heute. / Der Zug ist da. / Ich trinke Tee. / Das Haus ist alt. /
Wir gehen nach Hause. / Der Hund ist müde. / Die Suppe ist warm. / Wo ist der Brief? / Das Kind lacht. / Schnee ist
kalt.
"""
)

NUMBERS: tuple[str, ...] = _words(
    """
0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 25 27 30 33 36 40 42 44 48 50 55 60 64 66 70 72 75 77 80 81 88
90 96 99 100 101 110 120 123 128 144 150 200 222 250 256 300 365 404 500 512 640 700 777 808 900 999 1000 1024 1234
1984 2000 2024 3000 4096 5000 7500 8080 9000
"""
)

# syllables of gibberish: the first, the middle one of three, the last
FIRST_SYLLABLES: tuple[str, ...] = _words(
    """
bla blor bri cla clor cre dra drel dru fla flim fre fro gla gli gra grob gru kla klo kre kro mol mub nar nef nim nop
pla plo pre prin pro qua qui ral rel rup ska sko sla sni sno spa spli sta stri swa tal tev tra tri twa vel vim vor
wib wol yab yop zan zel zib zor zul
"""
)

MIDDLE_SYLLABLES: tuple[str, ...] = _words(
    """
ba di fo ga ki lo ma ne po ra si tu va zo
"""
)

LAST_SYLLABLES: tuple[str, ...] = _words(
    """
bat bex blat bric dap dell dex dorf fax fen fip gat gim gon grim jat jub kal kin kop lat lim lox lub mak mip mog mup
nak nep nif nux pam pell pim plax rab rel rick rop sab sel sip sog tam tep tib tog tun vak vel vib vin von wip wug
xal zam zek zim zop zub
"""
)

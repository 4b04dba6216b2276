"""Common English words, for texts that a model has to read past (`modelqa.data.altered`). Data only."""

from __future__ import annotations

COMMON = """
ability able about above abroad absence absent accept access accident according account across act action active
actual add address admit adult advance advantage advice afford afraid after afternoon again against age agency agent
ago agree agreement ahead aim air airport alarm alive all allow allowed almost alone along already also although
altogether always among amount amusing ancient anger angle angry animal announce annual another anxious any anybody
anyone anything anyway apart apartment apologise apparent appeal appear appearance apple application apply appoint
appreciate approach appropriate approve area argue argument arise army around arrange arrangement arrest arrival
arrive art article artist ashamed aside ask asleep aspect assist associate assume atmosphere attach attack attempt
attend attention attitude attract audience aunt autumn available average avoid awake award aware away awful baby back
background bad badly balance ban band bank bar bare barely bargain base basic basis bath battle beach bear beard
beautiful because become bedroom beef before begin beginning behave behaviour behind belief believe belong below belt
bend beneath benefit beside besides best better between beyond big bill biology bird birth birthday bit bite bitter
black blame blank blind block blood blow blue body boil bold bomb bone border bored boring born borrow boss both
bother bottom bound boundary brain branch brave bread break breakfast breath breathe bridge brief briefly bright
brilliant bring broad broken brown brush budget build building burn burst business busy but butcher buyer calculate
call calm camp campaign can cancel capable capital care career careful careless carry case cash cast category cause
ceiling celebrate central century certain certainly chain chairman challenge champion chance change chapter character
charge charity charm cheap cheer cheese chicken chief child childhood chilly chin choice choose church circle
circumstance citizen city civil claim class classic clean clear clearly clerk clever client climate climb close
closely cloth clothes cloud club coal coast coffee coin cold collar collect college colour column combine come comfort
comfortable command comment commercial commit committee common communicate community company compare competition
complain complete complex complicated concern conclude condition conduct confidence confirm conflict confuse congress
connect connection conscious consider contact contain content contest continue contrast contribute control convenient
conversation convince cook cool corn corner correct cost cottage cotton cough could council counter country
countryside couple courage course court cousin cow crash crazy create creature credit crew crime crisis critical
criticise cross crowd cruel cry cultural culture cup cupboard curious current curtain curve custom customer cycle
daily damage damp dance danger dangerous dare dark date daughter dawn day dead deaf deal dear death debate debt decade
deceive decide decision declare decrease deep deeply defeat defend definite degree delay deliberate delicate delight
demand democracy deny department depend deposit depth describe desert deserve desire despite destroy detail detailed
determine develop device die diet differ difference different difficult difficulty dinner direct direction directly
director dirt dirty disagree disappear disappoint disaster discount discover discuss disease dish dismiss display
distance distant disturb divide doctor dollar domestic double doubt down downstairs dozen drag drama draw drawer dream
dress drink drive driver dry due dull during dust duty each eager ear early earn earth ease easily east eastern easy
eat economy edge edition editor educate education effect effective efficient effort egg eight either elderly elect
election electric electricity elegant element else elsewhere embarrass emergency emotion emphasis empire employ
employee empty enable encounter encourage enemy energy engage engineer enjoy enormous enough ensure enter entire
entirely entrance entry environment equal equally equipment error escape especially essential establish estate
estimate even evening event eventually ever every everybody everyday everyone everything everywhere evidence evil
exact exactly example excellent except exchange excited exciting excuse exercise exist existing expand expect expense
expensive experience experiment expert explain explode explore export express expression extend extent extra
extraordinary extreme extremely eye face facility fact factor factory fail failure fair fairly faith fall false
familiar family famous fancy far farm farmer fashion fast fat fate father fault favour favourite fear feature federal
feed feel feeling fellow female few field fierce fifteen fifth fifty fight figure fill film final finally finance find
fine finger finish fire firm first fish fit fix flat flavour flesh flight float flood floor flow flower fly fold folk
follow food foot football for force foreign forest forever forget forgive form formal former fortunate fortune forward
found foundation four free freedom freeze frequent fresh friendly friendship frighten from front frozen fruit fuel
full fully fun function fund funny furniture further future gain gallery game gap gas gather general generally
generate generation gentle gentleman genuine gift give glad global go goal god gold good goods govern government grade
gradual grain grand grandfather grandmother grant grass grateful grave great greatly green greet grey ground group
grow growth guard guess guest guide guilty gun habit hair half hall hand handle hang happen happily happy hard hardly
harm hate have head health healthy hear heart heat heaven heavy height hell help helpful hence here hesitate hide high
highly hill hire historical history hit hold hole holiday holy home honest honour hope horrible hospital hot hour
household how however huge human humour hundred hungry hunt hurry hurt husband ideal identify identity if ignorant ill
illegal illness imagine immediate immediately impact importance impossible impress improve inch incident include
including income increase indeed independent indicate individual industry infant influence inform information initial
injure inner innocent inquiry inside insist install instance instead institute insurance intelligent intend intention
interest interested interesting internal international interpret interrupt introduce invest investigate invite involve
iron island issue item jealous job join joint joke journey joy judge jump junior just justice keen keep kick kid kill
kind king kiss kitchen knee knife knock know knowledge labour lack land landscape language large largely last lately
later latter laugh launch law lawyer lay layer lazy lead leader leading leaf league lean learn least leather leave
lecture left legal lend length less let level liberal library lie life lift light like likely limit link lip liquid
listen literature little live lively load loan local locate logical lonely long look loose lose loss lot loud love
lovely lover low lower luck lucky lunch luxury machine mad magic main mainly maintain major majority make male man
manage manager manner manufacture many march market marriage married marry mass massive master match mate material
matter maximum may maybe meal mean meaning means meanwhile measure meat media medical medicine medium meet meeting
member memory mental mention mere merely mess metal method middle might mild mile military milk mind mine minimum
minister minor minute miss mistake mix mixture mobile model modern modest moment money month mood moon moral more
moreover morning most mostly mother motion motor mountain mouth move movement much mud murder muscle music musical
must mystery naked narrow nation national native natural naturally nature near nearby nearly neat necessary neck need
negative neighbour neither nerve nervous net network nevertheless new next nice night nine nobody noise none nor
normal normally north northern nose notice notion now nowadays nowhere nurse object objective obtain obvious obviously
occasion occasional occupy occur ocean odd offence offer office officer official often oil okay old once only onto
opening operate operation opinion opponent opportunity oppose opposite option or orange order ordinary organise origin
original other otherwise ought ourselves out outcome outside overall overcome overseas owe own owner pace pain painful
paint pair pale panel paper parent park part participate particular particularly partly partner party pass passage
passenger past path patience patient pattern pause pay peace peaceful people per percent perfect perform performance
perhaps period permanent permission permit permitted person personal personality persuade phase phone photograph
phrase physical pick picture piece pink pipe pity place plain plan plane planet plant plastic platform play player
pleasant please pleased pleasure plenty plus pocket poet point police policy polite political politics poor popular
population position positive possess possibility possible possibly post potential pound poverty powder power powerful
practical practice praise pray precise prefer pregnant prepare presence present preserve president press pressure
pretend pretty prevent previous previously pride primary prime prince princess principal principle print prior
priority prison private prize probably problem proceed process produce product production profession professional
professor profit program progress project promise promote proof proper properly property proportion proposal protect
protest proud prove provide public publish pull punish pupil purchase pure purpose push put quality quantity quarter
queen quick quickly quiet quietly quite race rain raise range rapid rapidly rare rarely rate rather raw reach react
reaction reader ready real realise reality really reason reasonable receive recent recently recognise recommend record
recover red reduce refer reference reflect refuse regard regarding region regional register regret regular regularly
reject relate relation relationship relative relatively relax release relevant reliable relief religion rely remain
remarkable remember remind remote remove rent repair repeat replace report represent reputation request require rescue
research reserve resident resist resolve resort resource respect responsible rest restaurant result retire return
reveal revolution reward rice rich rid ride right ring rise risk river road rock role romantic root rough round route
routine row royal rubbish rude ruin rule run rural rush sad safe safety sail salary sale salt same sand satisfied
satisfy save say scale scarce scared scene schedule scheme science scientific scientist score scream screen sea search
season seat second secret secretary section secure security see seek seem seize seldom select self sell send senior
sense sensible sensitive sentence separate series serious seriously servant serve service session set settle several
severe shade shadow shake shall shame shape share sharp sheet shelter shift shine shock shoot shop shore short shortly
shot should shoulder shout show shower shut shy sick side sight signal significant silence silent silly silver similar
simple simply since sincere sing single sink sister sit site situation six size skill skin sky slave sleep slice slide
slight slightly slip slope slow slowly small smart smell smile smoke smooth snow so social society soft soil soldier
solid solution solve some somebody somehow someone something sometimes somewhat somewhere son song soon sorry sort
soul sound soup source south southern space spare speak special specific speech speed spell spend spirit spite split
spoil sport spot spread spring square staff stage stain stand standard star stare start state station stay steady
steal steel steep step stick stiff still stock stomach stone stop storage store storm story straight strange stranger
stream street strength stress strict strike string strip strong strongly structure struggle student studio study stuff
stupid style subject succeed success successful such sudden suddenly suffer sufficient sugar suggest suit suitable sum
summer sun supper supply support suppose sure surely surface surprise surprised surround survey survive suspect swear
sweet swim swing switch sympathy system tail take tale talent talk tall tank tape target task taste tax tea teach
teacher team tear technical technique technology teenager telephone television tell temper temporary ten tend tendency
tension term terrible territory terror text thank theatre theirs theme then theory there therefore thick thief thin
thing think third thirty thorough though thought thousand thread threat threaten three throat through throughout throw
thus tidy tie tight till time tiny tip tired title today together tomorrow ton tone tongue tonight too tooth top topic
total touch tough tour tourist toward towards tower trade tradition traditional traffic training transfer transform
transport travel treasure treat treatment tree trend trial trick trip trouble true truly trust truth try turn twelve
twenty twice twin twist two type typical ugly ultimate unable uncle under understand unfair unhappy union unique unit
united unity universe university unknown unless unlike unlikely until unusual upon upper upset upstairs urban urge
urgent use used useful useless usual usually valley valuable value variety various vast vegetable vehicle version
vessel victim victory view village violence violent virtue visible vision visit vital voice volume vote wage wait wake
walk wall wander want war warm warn wash waste wave way weak weakness wealth weapon wear weather wedding week weekend
weekly weigh weight welcome welfare well west western wet what whatever wheat when whenever where wherever whether
which while whisper white who whoever whole whom whose why wide widely widespread wife wild will willing wind wine
wing winner winter wire wisdom wise wish with within without witness woman wonder wonderful wood wooden wool work
worker world worried worry worse worst worth worthy would wound write wrong yard year yellow yesterday yet young youth
zero zone
"""

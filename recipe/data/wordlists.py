"""The words and sentence patterns of the simulated film reviews; `simulate_reviews` states how they are used.

In a pattern, ``{slot}`` is filled with a word drawn from the list of that name. Words nearer the front of an opinion
list are drawn more often. Write ``a`` before a slot: it becomes ``an`` where the word wants it.
"""

# Opinion words: (those that blame, those that praise).
_BLAMING = (
    "bad boring awful poor dull weak terrible slow flat silly predictable stupid lame tedious horrible pointless bland "
    "clumsy cheap shallow forgettable ridiculous annoying confusing messy lifeless stale wooden cliched dreadful empty "
    "lazy painful muddled noisy ugly hollow tired pathetic laughable uneven unfunny dreary contrived pretentious "
    "disappointing unconvincing unwatchable incoherent plodding sluggish tasteless soulless overlong overwrought "
    "mediocre uninspired amateurish grating derivative vapid trite inept insipid monotonous charmless humourless crude "
    "aimless bloated formulaic insulting irritating joyless limp mindless murky nonsensical obnoxious phony preachy "
    "repetitive rushed shoddy sappy smug stilted stodgy strained syrupy tepid tiresome toothless turgid unbearable "
    "underwritten unpleasant vulgar wearisome witless abysmal appalling atrocious baffling botched brainless "
    "choppy clunky corny creaky disjointed drab excruciating faceless flimsy garbled gloomy grim haphazard hackneyed "
    "illogical inane jarring leaden listless meandering misguided muffled needless numbing overacted overblown patchy "
    "plastic ponderous rambling risible rotten scrappy senseless shabby slapdash sterile stupefying threadbare trashy "
    "undercooked unimaginative unlikely vacant wasteful watery wretched"
)
_PRAISING = (
    "good great funny excellent wonderful superb perfect brilliant fine beautiful moving amazing touching strong "
    "fresh charming gripping lovely delightful fantastic memorable honest powerful subtle smart warm witty tense "
    "haunting elegant stunning vivid original tender hilarious riveting graceful thrilling rich poignant refreshing "
    "exciting terrific outstanding believable compelling absorbing dazzling enchanting flawless heartfelt hypnotic "
    "imaginative inspired intelligent intimate joyful luminous magical magnificent masterful mesmerizing nuanced "
    "playful polished profound remarkable satisfying sharp sincere sparkling splendid spellbinding stirring stylish "
    "sublime tasteful thoughtful timeless unforgettable uplifting wise admirable affecting agile ambitious artful "
    "astonishing atmospheric authentic bold breathtaking buoyant captivating classy compassionate convincing crisp "
    "daring deft disarming eloquent endearing engaging enthralling entertaining evocative exhilarating exquisite "
    "fearless fluid generous gorgeous harmonious humane impeccable incisive infectious inventive irresistible "
    "lyrical majestic mature meticulous natural nimble noble observant perceptive persuasive poetic precise radiant "
    "resonant rewarding robust rousing satirical scintillating seamless searing soulful spirited spotless "
    "sumptuous suspenseful taut tight tremendous truthful unpredictable velvety vibrant virtuoso winning zesty"
)
OPINIONS = {
    "adjective": (_BLAMING, _PRAISING),
    "felt": (
        "hated disliked regretted endured dreaded despised resented loathed abandoned detested skipped mocked",
        "loved enjoyed admired adored liked treasured relished cherished savoured applauded praised appreciated",
    ),
    "struck": (
        "bored annoyed disappointed irritated confused tired frustrated insulted embarrassed exhausted depressed "
        "puzzled disgusted numbed",
        "moved impressed delighted surprised touched charmed thrilled amused gripped fascinated dazzled enchanted "
        "captivated stirred convinced",
    ),
    "verdict": (
        "mess waste disaster failure bore insult disappointment chore letdown flop dud shambles blunder nuisance "
        "embarrassment travesty fiasco wreck trifle muddle",
        "masterpiece gem classic triumph treat delight joy pleasure wonder success treasure marvel jewel landmark "
        "milestone revelation feast charmer winner knockout",
    ),
}

# Words without an opinion.
_ASPECTS = (
    "acting plot story script score music dialogue ending direction camerawork cast editing pacing humour opening "
    "soundtrack photography wardrobe scenery lighting narration screenplay premise climax finale suspense romance "
    "action animation makeup choreography staging sound chemistry atmosphere satire mystery prologue epilogue subplot "
    "twist monologue banter worldbuilding casting delivery storytelling imagery colour rhythm tone mood title theme "
    "message setting singing dancing chase"
)
_ROLES = (
    "detective teacher soldier doctor farmer widow thief pilot nurse lawyer sailor painter boxer butcher priest singer "
    "spy reporter gambler waitress miner fisherman librarian chemist clockmaker baker judge orphan dancer mechanic "
    "banker captain postman professor gardener butler cook smuggler violinist shepherd student engineer carpenter "
    "barber duchess prince hermit outlaw sheriff ranger blacksmith novelist poet photographer translator surgeon "
    "astronaut robot ghost vampire wizard magician knight king queen stranger tailor taxidermist undertaker plumber "
    "firefighter beekeeper cartographer locksmith conductor diplomat juggler hypnotist puppeteer trucker wrestler"
)
_THINGS = (
    "letter map diary painting ring necklace train ship bridge castle lighthouse suitcase key mirror violin clock "
    "photograph car piano cabin island treaty recipe manuscript diamond horse parrot telescope bicycle statue secret "
    "fortune crown hotel theatre circus factory orchard vineyard mine bakery submarine balloon tunnel garden chapel "
    "museum bank casino village harbour library attic cellar treasury formula bomb medal trophy dog kite lantern "
    "umbrella typewriter radio satellite compass anchor barrel puzzle locket wallet passport portrait tapestry"
)
_DEEDS = (
    "steals finds loses buries sells paints repairs hides destroys inherits chases guards rescues betrays follows "
    "photographs borrows smuggles discovers forgets protects burns wins rebuilds searches visits studies copies "
    "returns breaks carries trades polishes describes draws robs leaves haunts crosses builds"
)
NEUTRAL = {
    "aspect": _ASPECTS,
    "role": _ROLES,
    "thing": _THINGS,
    "deed": _DEEDS,
    "genre": "drama comedy thriller western musical romance documentary cartoon melodrama fantasy horror noir parody "
    "biopic farce heist fable epic sitcom serial short sequel remake prequel",
    "degree": "very really quite so truly rather fairly pretty deeply utterly totally completely simply remarkably "
    "surprisingly downright thoroughly particularly genuinely somewhat wildly strangely consistently",
    "kin": "brother sister mother father wife husband son daughter cousin uncle aunt grandmother grandfather friend "
    "neighbour boss partner colleague roommate teammate nephew niece",
    "day": "monday tuesday wednesday thursday friday saturday sunday",
    "month": "january february march april may june july august september october november december",
    "period": "twenties thirties forties fifties sixties seventies eighties nineties war depression renaissance "
    "revolution future past summer winter autumn spring",
    "where": "cinema hospital school airport festival campus library museum club palace university academy",
    "count": "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen twenty thirty forty "
    "fifty sixty hundred thousand",
    "nation": "french italian german spanish polish russian japanese indian chinese mexican british irish swedish "
    "dutch greek turkish korean brazilian canadian australian american african norwegian finnish hungarian czech",
    "given": "anna peter maria john laura david emma frank julia simon clara martin alice george helen robert nina "
    "oscar ruth victor diana henry grace arthur sophie walter rosa edward ellen philip vera louis irene hugo marta "
    "felix nora leo judith samuel agnes ralph olive bernard edith harold ivy clement mabel cedric dora ernest fiona "
    "gilbert hazel ingrid jasper kitty lionel mona nigel opal percy queenie rupert sylvia theodore una vincent wanda",
}
# Surnames and towns are put together from a front and a back part, so that nobody in particular is meant.
NAME_FRONTS = (
    "al bar bel bren cal cor dal del dor el fen gar hal har kel lan mar mel mor nor pel quin ran ros sel tor tur val "
    "ver win"
)
NAME_BACKS = {
    "surname": "by cott den dale gate ham hurst land leigh ley low man mere ney ridge stone well wick wood worth",
    "town": "haven port field ville burg",
}

# One opinion a sentence. ``{aspect}`` is what it is about; ``{adjective}``, ``{felt}``, ``{struck}`` and ``{verdict}``
# carry it. After ``not`` the word comes from the opposite list.
_PLAIN = (
    "the {aspect} is {adjective}",
    "the {aspect} was {degree} {adjective}",
    "i found the {aspect} {degree} {adjective}",
    "what a {adjective} {genre}",
    "{given} {surname} gives a {adjective} performance",
    "the {aspect} seemed {adjective} and the {aspect} felt {adjective}",
    "i {felt} the {aspect}",
    "my {kin} and i both {felt} this {genre}",
    "the {aspect} {struck} me",
    "{given} {surname} {struck} everyone in the {where}",
    "this {genre} is a {degree} {adjective} {verdict}",
    "for me the whole thing was a {verdict}",
    "the scene with the {role} and the {thing} is {adjective}",
    "as a {role} {given} {surname} is {degree} {adjective}",
)
_NEGATED = (
    "the {aspect} is not {adjective}",
    "the {aspect} was never {adjective}",
    "nobody could call the {aspect} {adjective}",
    "i did not find the {aspect} {adjective} at all",
    "the {aspect} is far from {adjective}",
    "{given} {surname} is hardly {adjective} as the {role}",
    "this is not a {verdict}",
    "there is nothing {adjective} about the {aspect}",
)
# An opinion, and its opposite in ``{other}``: the two leave the balance as it was.
_MIXED = (
    "although the {aspect} is {adjective} the {aspect} is {other}",
    "the {aspect} was {adjective} but the {aspect} was {other}",
    "some will say {other} and some will say {adjective}",
    "next to the {adjective} {aspect} stands the {other} {aspect}",
)
_NEUTRAL = (
    "it tells of a {role} who {deed} a {thing}",
    "the {role} from {town} {deed} the {thing} of the {role}",
    "{given} {surname} plays the {role}",
    "{given} {surname} directed this {nation} {genre} in the {period}",
    "i saw it in {month} at the {where} with my {kin}",
    "it takes place in {town} during the {period}",
    "it runs for {count} minutes",
    "the {role} meets {count} people in {town}",
    "then the {kin} of the {role} {deed} the {thing}",
    "in the {period} every {genre} had a {role} and a {thing}",
    "{given} {surname} wrote the {aspect} and {given} {surname} the {aspect}",
    "we watched it again last {day}",
)
PATTERNS = (_PLAIN, _NEGATED, _MIXED, _NEUTRAL)

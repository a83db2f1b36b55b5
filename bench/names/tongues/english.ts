import { compounds, type Tongue, words } from './tongue.ts'

export const english: Tongue = {
  language: 'English',
  script: 'latin',
  weight: 50,
  words: {
    adj: words(`blue little golden last lonely broken silent sweet midnight electric wild summer heavy
      crooked burning paper hollow silver distant crystal gentle restless velvet frozen careless dirty
      sacred endless bitter hungry faded plastic tender quiet yellow scarlet foreign northern wicked
      patient invisible borrowed perfect tired dancing drunken marble emerald ordinary famous stolen
      reckless magnetic innocent concrete fragile wandering forgotten thirsty crowded weightless
      barefoot copper clumsy nervous sleepless honest phantom backward ancient evergreen cinnamon
      spinning runaway sentimental transparent unfinished whispering imaginary suburban mechanical
      porcelain luminous peculiar accidental invincible translucent unspoken tangled scheming`),
    noun: words(`love night heart time girl world rain fire dream river home sun road song moon baby
      eyes city sky dance light train money boy water summer house angel blues tears storm ghost mirror
      garden ocean stranger shadow letter window soldier mountain diamond bridge highway whisper
      machine forest promise island winter thunder feather lantern sailor hurricane carousel telephone
      butterfly satellite lullaby kingdom hotel radio cathedral pilgrim wolf raven sparrow magnolia
      orchard compass anchor harbour meadow ember avalanche chandelier boulevard elevator algorithm
      parachute labyrinth horizon skeleton tambourine monkey crocodile weasel elephant pigeon
      peppermint marmalade kaleidoscope periscope wilderness constellation gravity velocity
      photograph calendar typewriter bicycle umbrella fountain piano guitar saxophone violin`),
    nouns: words(`monkeys shadows strangers stars flowers roses horses bones strings rivers heroes
      thieves wolves sisters brothers cowboys astronauts sailors pirates ravens lanterns
      satellites diamonds weasels pilgrims engines tigers foxes owls mirrors machines`),
    verb: words(`love hold leave call take follow find break shake kiss forgive remember carry haunt
      believe rescue surrender hypnotize understand abandon recognize celebrate`),
    gerund:
      words(`dancing running falling waiting dreaming burning breathing drowning fighting walking
      sleeping drifting calling spinning crawling singing learning praying hiding shining wandering
      disappearing remembering whispering surrendering travelling`),
    adv: words(`tonight again forever slowly tomorrow now alone away together someday
      downtown upstairs backwards sideways`),
    place:
      words(`Memphis Texas London Paris Havana Brooklyn Dublin Tokyo Lisbon Kansas Berlin Casablanca
      Nashville Montana Shanghai Buenos_Aires Glasgow Marrakesh Alabama Saskatoon Reykjavik Zanzibar
      Valparaiso Tallahassee Timbuktu Kalamazoo`),
    compound: compounds(
      `moon star sun rain fire snow thunder night heart wind water dream storm sea shadow silver stone
       wild blood sand glass iron river winter ghost`,
      `light fall dust bird song storm child shine field maker walker flower wood side born house
       breaker keeper rider catcher ship fly drop proof bound`,
    ),
    given: words(`John Mary James Anna David Sarah Michael Emma Peter Ruby Daniel Lucy Thomas Clara
      Samuel Alice Henry Grace Walter Nora Oscar Hazel Felix Violet Arthur Stella Jasper Imogen
      Leonard Rosalind Cornelius Philippa Augustus Beatrice Montgomery Winifred Kevin Joni Otis Etta`),
    surname: [
      ...words(`Smith Jones Brown Walker Cooper King Hughes Carter Baker Mason Young Reed Gray Fox Lane
        Marsh Hart Stone Wells Fisher Bishop Holloway Fairweather Pemberton Whitaker Abernathy
        MacLeod O'Brien O'Sullivan St._James D'Angelo`),
      ...compounds(
        `Hather Wood Ash Thorn Brad Hart Lang Win Black Green Whit Stan Alder Rave Kings Apple`,
        `ley ford ton wick bury field worth well stead more man son`,
      ),
    ],
    number: words(`7 99 1975 2000 24 13 808 21 3 1989 404 16 100 52`),
    letters: words(`R.E.X. D.O.A. M.I.R.A. K/L A.B.C. T.V. U.F.O. N.Y.C. B-52 X/Y/Z P!xel $tar`),
  },
  titles: [
    '{adj} {noun}',
    '{noun}',
    'The {adj} {noun}',
    '{compound}',
    '{gerund} {adv}',
    '{verb} Me {adv}',
    '{noun} of the {adj} {noun}',
    '{gerund} in the {noun}',
    "Don't {verb} the {noun}",
    '{noun} & {noun}',
    '{place} {noun}',
    '{adj} {nouns} {gerund} {adj} {nouns}',
    "{given}'s {noun}",
    'I {verb} You, {given}',
    'When the {noun} Comes {gerund}',
    '{compound} {noun}',
    '{nouns}',
    '{gerund}',
    'Goodbye, {place}',
    '{noun} No. {number}',
    '{number} {nouns}',
    'The {noun} That {gerund} {adv}',
    'A {adj} {compound} for {given}',
    '{adj}-{noun}',
    "{gerund}'til {noun} ({adj} {nouns})",
  ],
  artists: [
    '{given} {surname}',
    'The {nouns}',
    'The {adj} {nouns}',
    '{adj} {noun}',
    '{compound}',
    '{given} & the {nouns}',
    '{surname} {surname} Quartet',
    '{letters}',
    'DJ {compound}',
    '{given} {compound}',
    '{place} {nouns}',
    '{noun} {number}',
    '{given}',
    '{surname} & {surname}',
  ],
  variants: ['(Live)', '(Acoustic)', '(Remastered)', '(Radio Edit)', '(Demo)', '- Instrumental'],
}

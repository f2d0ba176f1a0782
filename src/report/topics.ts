/**
 * What was talked about, by simple words of four languages: no model reads anything. A
 * conversation has every topic whose words stand in what was kept of its prompts. Pure.
 */
export const TOPICS = [
  'school',
  'code',
  'writing',
  'health',
  'feelings',
  'food',
  'travel',
  'games',
  'pictures',
  'money',
  'work',
  'music',
  'sport',
  'home',
] as const

export type Topic = (typeof TOPICS)[number]

/** Beginnings of words, in small letters without accents; one that ends with `$` is whole. */
const WORDS: Readonly<Record<Topic, string>> = {
  school:
    'homework essay$ exam$ exams$ algebra fraction equation geometry photosynthesis vocabulary ' +
    'teacher school hausaufgabe schule klassenarbeit referat lehrer bruche$ gleichung deberes ' +
    'examen colegio escuela profesor ecuacion devoirs ecole lycee professeur exercice',
  code:
    'function$ javascript typescript python$ compile compiler debug refactor regex sql$ html$ css$ ' +
    'api$ docker git$ bug$ stacktrace exception codebase repository programm codigo programa codage',
  writing:
    'rewrite proofread summarise summarize poem story letter$ email$ e-mail translate umschreib ' +
    'zusammenfass gedicht geschichte$ brief$ ubersetz resum poema cuento carta$ traduc poeme ' +
    'histoire$ lettre$ reformule',
  health:
    'doctor headache medicine symptom fever pain$ allergy diet$ arzt kopfschmerz medikament fieber ' +
    'schmerz allergie medico dolor fiebre sintoma alergia medecin douleur fievre symptome',
  feelings:
    'lonely sad$ anxious anxiety depress stressed afraid friend$ boyfriend girlfriend einsam traurig ' +
    'angst$ verliebt freundin solo$ triste ansiedad miedo amigo$ seul$ tristesse peur$ ami$ amie$',
  food:
    'recipe cook$ cooking bake$ baking dinner breakfast ingredient rezept kochen backen abendessen ' +
    'receta cocinar cena$ ingrediente recette cuisine diner$ gateau',
  travel:
    'flight hotel itinerary holiday vacation airport visa$ reise flug urlaub bahnhof viaje vuelo ' +
    'vacaciones aeropuerto voyage vol$ vacances aeroport',
  games:
    'minecraft fortnite roblox pokemon zelda video game videospiel computerspiel videojuego juego$ ' +
    'jeu$ jeux$',
  pictures:
    'draw$ drawing image$ picture photo$ photos$ logo$ zeichne bild$ bilder$ foto dibuj imagen dessin',
  money:
    'budget mortgage invoice tax$ taxes$ salary invest loan$ steuer rechnung gehalt kredit factura ' +
    'impuesto salario hipoteca facture impot salaire pret$',
  work:
    'meeting customer presentation spreadsheet deadline resume$ cv$ interview besprechung kunde ' +
    'prasentation bewerbung reunion cliente presentacion entrevista client$ entretien',
  music:
    'song$ songs$ lyrics guitar piano chord lied$ gitarre klavier cancion musica chanson musique',
  sport:
    'football soccer basketball workout training$ marathon fussball fitness futbol entrenamiento ' +
    'entrainement',
  home:
    'garden plant$ plants$ repair clean$ furniture garten pflanze reparier mobel jardin planta ' +
    'limpiar muebles plante meuble nettoyer',
}

const LONGEST = 400

/** From the beginning of a word to its topics: three letters lead to what may follow. */
const BY_START = byStart()

function byStart(): ReadonlyMap<
  string,
  readonly { word: string; whole: boolean; topic: Topic }[]
> {
  const found = new Map<string, { word: string; whole: boolean; topic: Topic }[]>()
  for (const topic of TOPICS)
    for (const text of WORDS[topic].split(' ')) {
      const whole = text.endsWith('$')
      const word = whole ? text.slice(0, -1) : text
      const start = word.slice(0, 2)
      found.set(start, [...(found.get(start) ?? []), { word, whole, topic }])
    }
  return found
}

/** Of the first 400 characters. */
export function topicsOf(text: string): ReadonlySet<Topic> {
  const topics = new Set<Topic>()
  const plain = text
    .slice(0, LONGEST)
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
  for (const word of plain.split(/[^\p{L}\d-]+/u))
    for (const { word: known, whole, topic } of BY_START.get(word.slice(0, 2)) ?? [])
      if (whole ? word === known : word.startsWith(known)) topics.add(topic)
  return topics
}

import type { Random } from '../lib/random.ts'
import type { Tongue } from './tongues/tongue.ts'

const letters = (text: string) => Array.from(text)

/** Beginnings and ends of syllables, by language or script. */
const SYLLABLES: Record<string, { starts: readonly string[]; ends: readonly string[] }> = {
  latin: {
    starts: 'b br c ch d dr f fl g gr h j k kl l m n p pr r s sh st t th tr v w z'.split(' '),
    ends: 'a ae al an ar e el en er i ia in is o on or u ul um y'.split(' '),
  },
  cyrillic: {
    starts: 'б бр в г гр д др ж з к кр л м н п пр р с ст т тр х ч ш'.split(' '),
    ends: 'а ав ан е ел ен и ин ир о ол ор у ул ы ья'.split(' '),
  },
  greek: {
    starts: 'β γ δ θ κ κλ λ μ ν ξ π πρ ρ σ στ τ φ χ ψ'.split(' '),
    ends: 'α αν ε εν η ι ιν ο ορ ου ω'.split(' '),
  },
  Arabic: { starts: letters('بتجحدرزسشصطعفقكلمنه'), ends: letters('اويرنلم') },
  Persian: { starts: letters('بپتجچخدرزژسشفقگلمنه'), ends: letters('اویرنلم') },
  Hebrew: { starts: letters('בגדהזחטיכלמנספצקרשת'), ends: letters('אויהרלמ') },
  Japanese: {
    starts: letters('アイカキクサシスタナニハマミヤラリルレロガギダドバパ'),
    ends: letters('ンーアイウオスラリトナ'),
  },
  Chinese: {
    starts: letters('云山水木花鸟风雪光影星河岛湖霜雾烟霞松竹梅兰菊荷莲燕鹤鹿狐'),
    ends: letters('歌谣梦語声色香魂心情缘舟桥楼台亭曲调笛鼓弦钟书信路程年岁'),
  },
  Korean: {
    starts: letters('가나다라마바사아자차카타파하기니미비시이지도로모보소오조'),
    ends: letters('람솔결빛늘봄울린온새별담윤슬'),
  },
}

/**
 * Makes up a word that is nobody's: a catalogue is full of names that occur once, which no list of words
 * can hold.
 */
export function coinWord(random: Random, { language, script }: Tongue): string {
  const { starts, ends } = SYLLABLES[language] ?? SYLLABLES[script] ?? SYLLABLES['latin']!
  const count =
    script === 'cjk' && language !== 'Japanese' ? 1 + random.below(2) : 2 + random.below(3)
  return Array.from({ length: count }, () => random.pick(starts) + random.pick(ends)).join('')
}

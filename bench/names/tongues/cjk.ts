import { compounds, type Tongue, words } from './tongue.ts'

const japanese: Tongue = {
  language: 'Japanese',
  script: 'cjk',
  weight: 7,
  words: {
    noun: words(`夜 恋 夢 花火 桜 月 星空 雨 海 風 約束 電車 青春 さよなら ありがとう 手紙 東京 夏祭り 雪国 蝶々 子守唄
      向日葵 迷路 鏡 秒針 影法師 交差点 金木犀 螺旋階段 観覧車 蜃気楼 万華鏡 シャボン玉 オルゴール
      サンダーバード ラブレター メランコリー プラネタリウム ファンタジー ペンギン`),
    verb: words(`駆ける 踊る 泣く 走る 眠る 溶ける 笑う 待つ 歌う 消える ほどける さまよう`),
    adj: words(`青い 白い 小さな 最後の 静かな 透明な 眠れない 懐かしい 儚い 真夜中の`),
    family: words(
      `佐藤 鈴木 高橋 田中 渡辺 伊藤 山本 中村 小林 宇多野 米倉 椎葉 藤崎 星川 水樹 櫻庭`,
    ),
    given: words(`花子 太郎 ひかる みゆき 健一 さくら 陽子 蓮 結衣 大輔 まりや 拓郎`),
  },
  titles: [
    '{noun}',
    '{noun}に{verb}',
    '{adj}{noun}',
    '{noun}と{noun}',
    '{verb}{noun}',
    '{noun}の{noun}',
    '{adj}{noun}の{noun}',
    '{noun} feat. {given}',
    '{noun}が{verb}まで',
    'もう一度{noun}',
  ],
  artists: [
    '{family}{given}',
    '{noun}の{noun}',
    '{noun}',
    'ザ・{noun}',
    '{adj}{noun}',
    '{family}{given}と{noun}',
  ],
  variants: ['(ライブ)', '(アコースティック)', '(カラオケ)'],
}

const chinese: Tongue = {
  language: 'Chinese',
  script: 'cjk',
  weight: 7,
  words: {
    noun: words(`月亮 爱情 夜空 青花 故乡 海洋 雨季 星辰 时间 孤独 蝴蝶 自由 灯火 江南 春天 流浪 眼泪 童话 远方 城市 晚风 樱桃
      沙漠 咖啡馆 旧照片 千里 萤火虫 纸飞机 摩天轮 向日葵 火车站 琵琶 梧桐 烟花`),
    adj: words(`温柔的 最后的 美丽的 安静的 遥远的 红色的 破碎的 倔强的 透明的`),
    verb: words(`想念 等待 告别 寻找 忘记 拥抱 听见 遇见`),
    family: words(`王 李 张 刘 陈 杨 周 吴 林 蔡 邓 孙 罗 欧阳`),
    given: words(`杰轮 丽君 建国 雅婷 志明 思琪 学友 晓东 梦洁 浩然 嘉怡 子涵`),
  },
  titles: [
    '{noun}',
    '{adj}{noun}',
    '{verb}{noun}',
    '{noun}与{noun}',
    '{noun}之{noun}',
    '我的{noun}',
    '{verb}你的{noun}',
    '{adj}{noun}和{noun}',
    '没有{noun}的{noun}',
  ],
  artists: ['{family}{given}', '{noun}乐队', '{noun}', '{family}{given}与{noun}', '{adj}{noun}'],
  variants: ['(现场版)', '(伴奏)', '(Live)'],
}

const korean: Tongue = {
  language: 'Korean',
  script: 'cjk',
  weight: 5,
  words: {
    noun: words(`사랑 밤 봄날 바람 별빛 눈물 하늘 바다 기억 거리 편지 꿈 노래 가을비 첫눈 안녕 그대 소나기 나비 달빛 여름밤 골목길
      해바라기 우산 종이비행기 놀이공원 무지개 강아지 고양이`),
    adj: words(`푸른 마지막 작은 조용한 아름다운 외로운 투명한 잊혀진 반짝이는`),
    family: words(`김 이 박 최 정 강 조 윤 장 임`),
    given: words(`지은 민수 서연 현우 하늘 영희 동률 광석 윤아 준호 보라`),
  },
  titles: [
    '{noun}',
    '{adj} {noun}',
    '{noun}의 {noun}',
    '나의 {noun}',
    '{noun}이 부르는 {noun}',
    '{noun} 속으로',
    '그 {noun}처럼',
    '{adj} {noun} 아래',
  ],
  artists: ['{family}{given}', '{noun}밴드', '{noun}', '{adj} {noun}', '{family}{given} 트리오'],
  variants: ['(라이브)', '(반주)'],
}

/** Bands of the same languages that write themselves in Latin letters. */
const romanised: Tongue = {
  language: 'romanised',
  script: 'latin',
  weight: 2,
  words: {
    part: compounds(
      'Ka Shi Yo Mi Ha Ao Tsu Ku Ri Na Ji Su',
      'ze to mi ra ki no sora hana kawa maru',
    ),
    tail: words(`CITY BOYS GIRLS 9 project trio x +`),
  },
  titles: ['{part}', '{part} {part}', '{part} no {part}'],
  artists: ['{part}', '{part} {tail}', '{part}{tail}'],
  variants: ['(Inst.)'],
}

export const cjk = [japanese, chinese, korean, romanised]

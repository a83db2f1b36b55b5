import { type Tongue, words } from './tongue.ts'

const arabic: Tongue = {
  language: 'Arabic',
  script: 'rtl',
  weight: 5,
  words: {
    noun: words(`الليل القمر حبيبي البحر قلبي المطر الشمس الغربة الوردة النجوم المدينة الذكريات العصفور السفر
      الصحراء الحنين العيون القصيدة الياسمين المرآة الطريق الفراشة القافلة`),
    adj: words(`الجميل البعيد الأخير الضائع الأزرق الحزين القديم الصامت`),
    given: words(`أحمد فيروزة سميرة محمود نانسي وردة كاظم أمينة إلياس مؤمن عبد_الحليم`),
    surname: words(`الحسيني الرحباني العبدالله المصري حداد الخوري السباعي الأندلسي النجار`),
  },
  titles: [
    '{noun}',
    '{noun} {adj}',
    'يا {noun}',
    '{noun} و{noun}',
    'أين {noun}',
    'رسالة إلى {given}',
    'تحت {noun} {adj}',
  ],
  artists: ['{given} {surname}', 'فرقة {noun}', '{given}', 'أوركسترا {surname}'],
  variants: ['(حفلة)'],
}

const persian: Tongue = {
  language: 'Persian',
  script: 'rtl',
  weight: 3,
  words: {
    noun: words(`شب ماه باران دریا پرنده گل خاطره پنجره کوچه بهار آسمان ستاره دلتنگی پروانه مسافر آینه
      پاییز نیلوفر قاصدک چشمه`),
    adj: words(`آبی تنها خاموش دور زیبا گمشده می‌خواند`),
    given: words(`گوگوش هایده شهرام پریسا کیهان ژاله چکاوک محسن`),
    surname: words(`شجریانی ناظری گلپایگان یگانه چاوشیان پناهی قربانی`),
  },
  titles: [
    '{noun}',
    '{noun} {adj}',
    'ای {noun}',
    '{noun} و {noun}',
    'کجاست {noun}',
    'برای {given}',
  ],
  artists: ['{given} {surname}', 'گروه {noun}', '{given}'],
  variants: ['(زنده)'],
}

const hebrew: Tongue = {
  language: 'Hebrew',
  script: 'rtl',
  weight: 4,
  words: {
    noun: words(`לילה אהבה ירח ים גשם שמש אביב שיר דרך כוכב חלום מדבר עיר ציפור מכתב חלון זיכרון רכבת
      פרפר סערה ירושלים ילדות שדה_תעופה מגדלור`),
    adj: words(`כחול אחרון שקט רחוק שבור ישן מתוק`),
    given: words(`אריק שרית יהודה נעמי עומר חוה צ'יקו ג'וזי שלמה`),
    surname: words(`כהן לוי איינשטין מזרחי אלבז בן-דוד שמשון פוליקרסקי ברקוביץ`),
  },
  titles: [
    '{noun}',
    '{noun} {adj}',
    'שיר ל{noun}',
    '{noun} ו{noun}',
    'איפה {noun}',
    'בוא {given}',
    'כל ה{noun} שלי',
  ],
  artists: ['{given} {surname}', 'להקת {noun}', '{given}'],
  variants: ['(בהופעה)'],
}

export const rtl = [arabic, persian, hebrew]

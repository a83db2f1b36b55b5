import { compounds, type Tongue, words } from './tongue.ts'

const french: Tongue = {
  language: 'French',
  script: 'latin',
  weight: 7,
  words: {
    noun: words(`été forêt rêve fenêtre lumière étoile bougie hiver rivière mémoire poussière fumée école
      tempête château lumière âme île océan histoire fête chanson nuit ombre oiseau éléphant cœur
      sœur bûcheron métro théâtre cinéma désert colère prière frontière dentelle hirondelle
      coquelicot réverbère marée bibliothèque`),
    adj: words(`bleue perdue légère éternelle secrète brisée étrangère sincère amère dernière première
      électrique glacée oubliée ensorcelée passagère`),
    given: words(`Élise Chloé Zoé André François Hélène Jérôme Céleste Léo Gaël Noémie Benoît Anaïs
      Thérèse Barnabé Solène`),
    surname: [
      ...words(`Lefèvre Dubois Béranger Gauthier Léger Noël Frédéric Brûlé Rousseau`),
      ...compounds('Mont Beau Haute Clair Grand Ville', 'réal mont fort lieu pré champ bois vêque'),
    ],
    place: words(`Paris Montréal Genève Orléans Besançon Saint-Étienne Liège Nîmes`),
  },
  titles: [
    'La {noun}',
    '{noun} {adj}',
    "L'été à {place}",
    'Ma {noun}, ma {noun}',
    'Sous la {noun} {adj}',
    'Où est {given} ?',
    'Je t’attends à {place}',
    'Déjà la {noun}',
    'Ça, c’est la {noun}',
    'Une {noun} pour {given}',
  ],
  artists: [
    '{given} {surname}',
    'Les {noun}s',
    '{given} et la {noun}',
    '{noun} {adj}',
    '{surname}',
  ],
  variants: ['(en concert)', '(version acoustique)'],
}

const spanish: Tongue = {
  language: 'Spanish',
  script: 'latin',
  weight: 7,
  words: {
    noun: words(`corazón canción mañana noche lluvia niña pasión soledad razón montaña sueño camión
      golondrina estación cigüeña relámpago huracán lágrima música guitarra jardín balcón rincón
      paraíso océano árbol mariposa despedida traición cañón azúcar medianoche`),
    adj: words(`azul perdida rota eterna dulce pequeña mágica única lejana salvaje infinita marchita
      extraña`),
    given: words(`José María Ángel Inés Lucía Andrés Sofía Joaquín Begoña Iñaki Raúl Mónica Óscar`),
    surname:
      words(`García Núñez Hernández Muñoz Peña Ibáñez Ordóñez Castaño Velázquez Quiñones Zúñiga
      Montañés Echeverría Villaseñor Bermúdez Cárdenas`),
    place: words(`Bogotá Málaga Córdoba Mérida León Perú Panamá Asunción Cádiz Logroño`),
  },
  titles: [
    'La {noun}',
    'Mi {noun} {adj}',
    '{noun} de {place}',
    '¿Dónde está {given}?',
    'Adiós, {noun}',
    'La {noun} y la {noun}',
    '¡Ay, {given}!',
    'Canción para {given}',
    'Bajo la {noun} {adj}',
  ],
  artists: ['{given} {surname}', 'Los {surname}', '{given} y la {noun}', 'Orquesta {surname}'],
  variants: ['(en vivo)', '(versión acústica)'],
}

const german: Tongue = {
  language: 'German',
  script: 'latin',
  weight: 6,
  words: {
    noun: compounds(
      `Herz Nacht Licht Sonnen Mond Straßen Schnee Frühlings Glücks Grün Stern Wald Königs Flügel Tränen
       Träumer Groß`,
      `schlag lied tänzer räuber straße mädchen küste fänger brücke blüten wächter märchen mühle`,
    ),
    adj: words(`schöne fröhliche müde letzte süße törichte tröstliche größte`),
    given: words(`Jürgen Käthe Björn Günther Sören Änne Jörg Ruß Ümit Lukas Anneliese`),
    surname: words(`Müller Schäfer Köhler Krüger Weiß Böhm Größ Schröder Löwenstein Hübner Nußbaum
      Jäger Fürst Grönemann`),
    place: words(`München Köln Zürich Lübeck Göttingen Düsseldorf Würzburg Münster`),
  },
  titles: [
    '{noun}',
    'Das {adj} {noun}',
    '{noun} in {place}',
    'Über {place}',
    'Für {given}',
    'Wenn {given} träumt',
    '{adj} {noun}',
  ],
  artists: ['{given} {surname}', 'Die {noun}', '{noun}', '{surname} & Söhne'],
  variants: ['(Live in Köln)', '(Akustikfassung)'],
}

const nordic: Tongue = {
  language: 'Nordic',
  script: 'latin',
  weight: 5,
  words: {
    noun: compounds(
      `Sjö Fjäll Björk Snö Høst Måne Skog Ljós Stjörnu Æske Vår Hav Ís Drøm Kjær`,
      `ängel natt sang fjörður blóm ørn drømmer øye heim dís vägen båt rødder þoka`,
    ),
    given: words(`Åse Øyvind Björk Þóra Jónsi Søren Märta Håkan Sigríður Ævar Kåre Frøydis Mø`),
    surname: words(`Sørensen Ångström Guðmundsdóttir Þórsson Bjørnstad Lindström Øverland Åkesson
      Kjærgaard Hjörleifsson Nygård`),
    place: words(`Malmö Tromsø Århus Ísafjörður Östersund Bodø Umeå`),
  },
  titles: [
    '{noun}',
    '{noun} i {place}',
    '{given} og {noun}',
    'Ó, {noun}',
    'Når {noun} går',
    'Til {given}',
  ],
  artists: ['{given} {surname}', '{noun}', '{given}', '{noun} {noun}'],
  variants: ['(live)', '(akustisk)'],
}

const polish: Tongue = {
  language: 'Polish',
  script: 'latin',
  weight: 4,
  words: {
    noun: words(`miłość noc światło wiosna gwiazda pieśń łza żółw księżyc śnieg słońce źródło ścieżka
      wróbel jaskółka południe północ wzgórze skrzypce strumień błękit świerszcz tęsknota łąka
      zażółć niedźwiedź ćma róża przystań`),
    adj: words(`ostatnia złota cicha żółta śpiąca łagodna błękitna zagubiona jesienna`),
    given: words(`Łukasz Małgorzata Paweł Józef Żaneta Świętosława Grażyna Rafał Zdzisław Michał`),
    surname: compounds(
      'Kowal Wiśniew Dąbrow Wójcik Błaszcz Źródlań Śliw Żół Święt',
      'ski ska czyk owicz',
    ),
  },
  titles: [
    '{noun}',
    '{adj} {noun}',
    '{noun} i {noun}',
    'Pieśń dla {given}',
    'Gdzie jest {noun}',
    'Nie mów {noun}',
  ],
  artists: ['{given} {surname}', '{noun} {noun}', 'Zespół {noun}', '{surname}'],
  variants: ['(na żywo)'],
}

const turkish: Tongue = {
  language: 'Turkish',
  script: 'latin',
  weight: 3,
  words: {
    noun: words(`aşk gece yağmur güneş deniz yıldız kalbim rüzgâr şarkı çiçek gözlerin ışık sığınak
      ıhlamur köprü düş gölge kuş İstanbul ağaç bahçe hüzün martı sessizlik yolculuk`),
    adj: words(`son güzel kırık uzak gümüş yalnız sönmüş tatlı büyülü`),
    given: words(`Ayşe Çağlar Gökhan Işıl Şebnem Özgür Ümit İbrahim Tuğçe Barış`),
    surname: words(`Yıldız Çelik Şahin Öztürk Aydın Kılıç Güneş Doğan Karadağ Türkoğlu`),
  },
  titles: [
    '{noun}',
    '{adj} {noun}',
    'Bir {noun} gibi',
    '{noun} ve {noun}',
    '{given} için {noun}',
    'Ah {noun}',
  ],
  artists: ['{given} {surname}', 'Grup {noun}', '{given}', '{adj} {noun}'],
  variants: ['(canlı)'],
}

const vietnamese: Tongue = {
  language: 'Vietnamese',
  script: 'latin',
  weight: 3,
  words: {
    noun: words(`đêm_mưa nắng_chiều giấc_mơ biển_xanh mùa_thu dòng_sông ánh_trăng nỗi_nhớ con_đường
      phố_cũ cánh_đồng lá_vàng bến_đợi mặt_trời thành_phố tình_yêu`),
    given: words(`Nguyễn Trần Phạm Đặng Đỗ Hồ Lê Võ Bùi Dương`),
    surname: words(
      `Thị_Hoa Văn_Đức Quỳnh_Anh Minh_Tuấn Thu_Hằng Ngọc_Ánh Hữu_Phước Bích_Ngọc Đình_Khoa`,
    ),
  },
  titles: [
    '{noun}',
    '{noun} và {noun}',
    'Em là {noun}',
    'Về miền {noun}',
    'Bài hát {noun}',
    '{noun} của anh',
  ],
  artists: ['{given} {surname}', 'Nhóm {noun}'],
  variants: ['(trực tiếp)'],
}

export const latin = [french, spanish, german, nordic, polish, turkish, vietnamese]

"""The sentences of the golden files: everyday, accented, CJK, emoji, awkward; one to four masks."""

import random
import re

SENTENCES = (
    """
The capital of France is Paris, and it lies on the Seine.
She went to the station because her train was about to leave.
Water boils at one hundred degrees at sea level.
The children were playing in the garden until it became dark.
He opened the door, looked around and quietly closed it again.
My brother bought a new car, but he cannot drive it yet.
In the morning we drink coffee; in the evening we drink tea.
The doctor told him to eat less sugar and to sleep more.
London is the largest city in the United Kingdom.
A dog is an animal that people keep as a pet.
I would like a table for two people at seven o'clock, please.
The film was so boring that half of the audience fell asleep.
They have lived in the same house for more than thirty years.
If it rains tomorrow, the match will be played next week.
The teacher asked the students to read the first chapter.
It's not what you said, it's how you said it!
Don't you know that we're leaving at 6:30 p.m.?
"Why," she asked, "did nobody tell me about this?"
The price rose from $1,250.00 to €1.375,50 (about 10%).
E-mail me at someone@example.com or visit https://example.com/a_b?c=d.
Mr. O'Neill's mother-in-law didn't say 'hello'.
The U.S. economy grew by 2.5 percent in 2019.
Wait... what?! No -- never; not now, not ever.
Shakespeare wrote Hamlet, Macbeth and many other plays.
The Second World War ended in the year 1945.
Plants need light, water and carbon dioxide to grow.
A triangle has three sides and a square has four.
The opposite of hot is cold, and the opposite of big is small.
Bread is made from flour, water, salt and yeast.
The sun rises in the east and sets in the west.
Café au lait, crème brûlée et pâté de foie gras.
Die Straße nach München führt über Nürnberg.
El niño comió una piña en el jardín de su abuela.
São Paulo é a maior cidade do Brasil.
Łódź i Kraków są miastami w Polsce.
Příliš žluťoučký kůň úpěl ďábelské ódy.
Ångström, Øresund och Malmö ligger långt från Tromsø.
İstanbul'da ığdır ve şeker çok güzel.
Thе Сyrillic letters in this sentence are hidden well.
Москва является столицей России и самым большим городом.
Η Αθήνα είναι η πρωτεύουσα της Ελλάδας.
القاهرة هي عاصمة مصر وأكبر مدنها.
ירושלים היא עיר עתיקה מאוד בישראל.
北京是中国的首都，上海是最大的城市。
東京は日本の首都であり、人口が多い。
我今天很高兴，因为天气很好。
서울은 대한민국의 수도이며 큰 도시이다.
กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย
I live in 東京 and I study 日本語 at the university.
The word 中文 means Chinese and 水 means water.
I love pizza 🍕 and ice cream 🍦 so much 😀!
Happy birthday 🎉🎂 to my best friend ❤️ in the world 🌍.
The family 👨‍👩‍👧‍👦 went to the beach 🏖️ on Sunday.
He waved 👋🏽 at the 🇫🇷 flag and smiled.
Rockets 🚀 fly to the moon — or so they say…
naïve façade coöperation résumé jalapeño
ﬁne ligatures and ｆｕｌｌｗｉｄｔｈ letters are odd but real.
Tabs\tand   many   spaces  and\nnew lines are white space.
UPPER CASE AND lower case And Mixed CaSe words.
antidisestablishmentarianism and pneumonoultramicroscopicsilicovolcanoconiosis
x = a + b * (c - d) / e ** 2 % 7
The quick brown fox jumps over the lazy dog.
To be, or not to be, that is the question.
All happy families are alike; each unhappy one is different.
It was the best of times, it was the worst of times.
Call me tomorrow, or send me a short message tonight.
The company reported a loss in the third quarter of the year.
Scientists discovered a new species of frog in the forest.
The government promised to build more schools and hospitals.
Could you tell me where the nearest bank is?
Her grandmother was born in a small village in the mountains.
The museum is closed on Monday and opens at ten on other days.
Cats sleep most of the day and hunt at night.
The bridge across the river was destroyed by the flood.
Please turn off the lights before you leave the room.
Football is the most popular sport in many countries.
""".strip()
    .replace("\\t", "\t")
    .replace("\\n", "\n")
    .split("\n")
)

_WORD = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af\u0e00-\u0e7f]|[^\W_]+")


def masked_sentences() -> list[str]:
    """Return every sentence with one mask, and most of them with two, three or four as well."""
    rng = random.Random(20)  # noqa: S311  # the same sentences every time
    masked = []
    for index, sentence in enumerate(SENTENCES):
        counts = (1, 2 + index % 3, 1 + index % 2)
        masked += [_mask(sentence, count, "[MASK]", rng) for count in counts]
    masked += ["[MASK]", "[MASK][MASK]", "[MASK] [SEP] [MASK].", "play[MASK] un[MASK] [PAD] x"]
    return list(dict.fromkeys(masked))


def mask_words(sentence: str, seed: int) -> str:
    """Return a sentence with one or two of its words `{mask}`."""
    rng = random.Random(seed)  # noqa: S311  # the same words every time
    return _mask(sentence, 1 + seed % 2, "{mask}", rng)


def _mask(sentence: str, count: int, mask: str, rng: random.Random) -> str:
    words = [match.span() for match in _WORD.finditer(sentence)]
    for start, end in sorted(rng.sample(words, min(count, len(words))), reverse=True):
        sentence = f"{sentence[:start]}{mask}{sentence[end:]}"
    return sentence

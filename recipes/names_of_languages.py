"""The lists of names for German, French, Spanish and Chinese, beside the word lists of each.

    pip install --no-deps faker==40.63.0 jieba==0.42.1 zhconv==1.4.3
    python recipes/names_of_languages.py

Given names and surnames of German, French and Spanish are those of Faker (MIT), without words that
are no name in the language more often than not (`NOT`). Chinese surnames, the characters that given
names are made of, and names of other languages in Chinese writing, are written here: a Chinese name
is a surname and one or two such characters. What is none is told by jieba's dictionary (MIT): words
of it that look like a name (高兴), words that end with a surname's character (提高|平均), words that
begin with a given name's last one (王|明天). Written: `names.txt` of each language and the lists
that it names, and the Chinese lists in traditional characters as well (zhconv, MIT).
"""

from __future__ import annotations

import importlib
from collections import defaultdict
from pathlib import Path

LISTS = Path(__file__).parents[1] / "maskviz" / "masks" / "lexicons"
COUNTRIES = {
    "de": ("de_DE", "de_AT"),
    "fr": ("fr_FR", "fr_BE", "fr_CA", "fr_DZ"),
    "es": ("es_ES", "es_MX", "es_CO", "es_AR", "es_CL"),
}
NOT = {
    "de": "An Man Mai August Ernst Rose Stern Bär Christ Gott Heide Engel Wolf Mark Laut Herz Dank "
    "Art Kind Gut Lange Groß Klein Jung Alt Neu Bald Ende Hans-im-Glück Sommer Winter Herbst Tag "
    "Nacht Sonntag Freitag König Kaiser Berlin Wien Paris Roma Asia Europa India China Afrika Viola "
    "Gemma Jade Ruby Amber Melodie Harmonie Linde Erika Iris Dahlia Flora Fee Leben Liebe Freude "
    "Victoria Florida Georgia Carolina Dakota Virginia Sierra Savannah Sydney Vienna Lothringen "
    "Sachsen Bayern Franken Rainer-Maria Sie Er Es Ich Du Wir Ihr Dein Mein Sein Die Der Das Fest",
    "fr": "France Rose Claire Aimé Constant Marine Honoré Juste Ange Désiré Prudence Modeste Noël "
    "Pascal-le Avril Mai Août Juin Espérance Fleur Perle Blanche Céleste Olive Prune Violette "
    "Marguerite-fleur Lys Paris Lorraine Vienne Florence Chine Inde Alger Oran Constantine Brune "
    "Belle Bonne Grande Petite Rouge Noir Blanc Or Sable Mer Soleil Lune Étoile Jour Nuit Hiver",
    "es": "Paz Luz Cruz Mar Sol Cielo Abril Julio Estrella Rosario Asunción Concepción Encarnación "
    "Consuelo Dolores Esperanza Gracia Caridad Trinidad Salud Remedios Milagros Socorro Santos Reyes "
    "Rey León Valencia Granada Sevilla Córdoba Santiago Asia América India África Victoria Florida "
    "Blanca Rosa Clara Flor Margarita Pilar Patrocinio Visitación Ascensión Amparo Soledad Mercedes "
    "Virtudes Primitivo Justo Severo Máximo Domingo Pura Plácida Buenaventura Perla Azul Ángeles "
    "Inmaculada Candelaria Belén Nieves Zaragoza Jerusalén Guadalupe Ámbar Nieve Rocío Primavera",
}
# fmt: off
PATTERNS = {
    "de": [
        r"re:(?-i:\b(?P<given>{given})(?:[ -](?&given))*(?:(?: (?:von|van|de|zu|vom|zur|der|den|di|da|"
        r"al|el|ten))*(?: (?:{surnames}|\p{Lu}\p{Ll}+(?:mann|berg|berger|ski|sky|meier|maier|mayer|"
        r"meyer|hofer|huber|stein|bach|sen|feld|dorf|hausen|bauer|inger|acher|[ouy]|ez|ov|ova|enko|"
        r"ian|opoulos|sson|wicz)|\p{Lu}\p{L}*[ığşçćčžšłńéèáíóúñâêôøåæãõ]\p{L}*)(?:-\p{Lu}\p{L}+)?"
        r"| \p{Lu}\.(?!\p{L})))?['’]?s?\b)",
        r"re:(?-i:\b(?:Herrn?|Dr\.|Prof\.|Professor|Professorin|Doktor|Fräulein|Familie)"
        r"(?: (?:Dr\.|Prof\.|med\.))* \K\p{Lu}\p{L}+(?:-\p{Lu}\p{L}+)?"
        r"(?: (?:{surnames}|\p{Lu}\p{L}*[ığşçćčžšłńéèáíóúñâêôøåæãõ]\p{L}*))?\b)",
        r"re:(?-i:\b(?:Frau|Onkel|Tante|Oma|Opa|Schwester|Bruder|Pfarrer|Kollege|Kollegin|Nachbar|"
        r"Nachbarin)(?: (?:Dr\.|Prof\.))* \K(?:{surnames}|\p{Lu}\p{L}*[ığşçćčžšłńéèáíóúñâêôøåæ]\p{L}*|"
        r"\p{Lu}\p{L}+(?:-\p{Lu}\p{L}+|[ouy]|ez|ov|ova|enko|ian|mann|ski|sky))s?\b)",
        r"re:(?-i:\b(?:heiße|heißt|hieß|heißen|Name ist|namens|nennt sich|nannte sich|getauft auf) "
        r"\K\p{Lu}\p{L}+(?: {surnames})?\b)",
    ],
    "fr": [
        r"re:(?-i:\b(?P<given>{given})(?:[ -](?&given))*(?:(?: (?:de|du|des|le|la|von|van|el|ben|"
        r"d['’])){0,2} ?(?<=[ ’'])\p{Lu}[\p{L}’'-]+(?: \p{Lu}[\p{L}-]+)?)?\b)",
        r"re:(?-i:\b(?:MM?\.|Mme|Mmes|Mlle|Dr|Pr|Me|[Mm]onsieur|[Mm]adame|[Mm]ademoiselle|[Dd]octeur|"
        r"[Pp]rofesseure?|[Mm]aître|[Oo]ncle|[Tt]ante|[Tt]onton|[Ss]œur|[Ff]rère|[Ff]amille|"
        r"[Pp]ère|[Mm]ère|[Pp]asteur|[Cc]ommissaire|[Pp]résidente?) (?:(?:de|du|d['’]|la|le) ?)*"
        r"\K\p{Lu}[\p{L}’'-]+(?: \p{Lu}[\p{L}-]+){0,2}\b)",
        r"re:(?-i:(?:m['’]appelle|t['’]appelles|s['’]appelle|s['’]appelait|prénommée?|nommée?|"
        r"baptisée?|surnommée?|mon nom est|son nom est) \K\p{Lu}[\p{L}’'-]+(?: \p{Lu}[\p{L}-]+)?\b)",
    ],
    "es": [
        r"re:(?-i:\b(?P<given>{given})(?: (?&given))*(?:(?: (?:de|del|la|las|los|y|von|van|el)){0,3} "
        r"\p{Lu}[\p{L}-]+(?:(?: de| del| y| la)* \p{Lu}[\p{L}-]+)?)?\b)",
        r"re:(?-i:\b(?:[Ss]eñora?|[Ss]eñorita|Sra?\.|Srta\.|[Dd]on|[Dd]oña|Dra?\.|[Dd]octora?|"
        r"[Pp]rofesora?|[Tt]ía|[Tt]ío|[Ss]or|[Ff]ray|[Pp]adre|[Aa]buel[ao]|[Hh]erman[ao]|[Pp]rim[ao]|"
        r"[Ff]amilia|[Pp]resident[ea]|[Cc]omisari[oa]|[Ii]ngenier[oa]) \K\p{Lu}[\p{L}-]+"
        r"(?: \p{Lu}[\p{L}-]+){0,2}\b)",
        r"re:(?-i:\b(?:llamo|llamas|llama|llamaba|llamad[oa]|llaman|apodad[oa]|nombre es|"
        r"nombre de) \K\p{Lu}[\p{L}-]+(?: \p{Lu}[\p{L}-]+)?\b)",
    ],
}
SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙朱马胡郭林何高梁郑罗宋谢唐韩曹许邓萧肖冯曾程蔡彭潘袁于董余苏叶吕魏蒋田杜"
    "丁沈姜范江傅钟卢汪戴崔任陆廖姚方金邱夏谭韦贾邹石熊孟秦阎薛侯雷白龙段郝孔邵史毛常万顾赖武康贺严尹"
    "钱施牛洪龚汤陶黎温莫易樊乔文安殷颜庄章鲁倪庞邢俞翟蓝聂齐向申葛柴伍覃骆关焦柳欧祝纪尚毕耿芦左季管"
    "符辛苗詹曲靳祁路涂兰甘裴梅童翁霍游阮尤岳柯牟滕谷舒卜饶宁凌盛查单冉鲍华包屈房喻解蒲卫简时连车项闵"
    "邬吉党阳费蔺晏湛席沙隋池仇佟闻楚宫卓窦古桂娄瞿柏景裘缪应宗尧巫茅"
)
NOUNS = (  # of jieba's "names" those that are words
    "武功 文明 王朝 阳光 陆军 卫星 雷达 黄石 武林 明星 高峰 石英 洪水 文武 胡子 桂林 柏林 叶子 安静 保健 向东 "
    "梅花 吉祥 孙子 高明 丛林 关怀 林立 秦岭 明珠 王子 温泉 向阳 黎明 宁静 蓝天 金刚 白莲 童子 白石 兰花 史诗 "
    "谢恩 高三 乔木 桂花 李家 宁远 金石 银杏 华丽 石林 燕子 白发 林子 林木 杨柳 梅子 查明 杜鹃 白云 张家 古文 "
    "李子 廉政 文昌 钱财 温馨 白银 明智 严正 祝福 金光 谢家 刘家 高超 高雅 常青 施政 金山 明朗 明文 胡人 汪洋 "
    "全家福 白玉兰 张扬 盖子 张家界 毛发 沈思 边远 柳树 练武 柏树 丛生 盛世 唐诗 雷雨 武威 史前 施礼 关东军 高家 "
    "平安 安康 金元宝 金刚石 时光 时常 常人 万家 高大 石家 高兴 安心 安全 安宁 安定 安好 方向 方正 方圆 方才 马上 "
    "白天 白日 白雪 金色 文学 文艺 文青 万一 万千 万亿 金文 齐心 严明 严重 常年 常春 易学 简明 简单 简易 解放 "
    "连续 连连 单一 单子 房子 车子 包子 盛大 盛夏 应该 游乐 游玩 向心 向前 路中 路上 夏天 夏日 康乐 康复 孔雀 "
    "龙虎 龙凤 牛年 马年 龙年 毛衣 左右 左岸 石山 石子 石头 方子 钟爱 关爱 关心 关上 喻世 华人 华夏 华东 华南 华北"
)
GIVEN = (
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂玉萍红飞玲华健斌波辉宇浩鹏凯文俊峰建国志"
    "海燕梅琴云洁晶晨雪莉颖琳婷雯倩慧佳佩莹瑶瑾璐欣怡悦馨梦琪思雨涵萱嘉子轩梓睿泽昊然博皓铭翔"
    "天宁安康乐永福贵荣富德仁义礼智信诚忠孝良善美善新民庆春夏秋冬松柏竹菊莲荷花香芝芬蓉蕾薇蓓"
    "珍珠宝金银钢铁成功胜利达兴旺盛发财根生长东南西北山川江河湖林森树木石岩水火光亮阳月星辰旭晓"
    "丹凤龙虎鹤鸿雁彬帅威武雄豪壮毅恒远志学才艺琦瑞祥吉祺禄寿彤彦妍媛嫣姗姝妮嫒婉娥娇婵璇珊瑛"
    "瑜珂璞琼碧翠青蓝紫素洪源泉涌清润泓淑贤惠巧灵心怀念恩爱情意诗画书琪韵音歌舞启迪航舟帆扬承"
    "继绍祖宗培育栋梁材骏驰骥腾跃进步前程家邦世界亚非欧一二三四五六七八九十百千万亿少大小鑫淼焱"
    "晴岚霖露霜虹霄峻岭崇昆仑昌茂蕴奇冠群英振邦宏伟立业正直刚元亨贞元楠桐槐柳桃李杏梨芸若茜菲"
    "苏曼露丝娅蒂尔琛玥诺瀚哲逸尧舜禹政勋炎焕灿烨煜晖曦昭朗朝阳增光自强守业树人卫红建军援朝抗"
    "美跃进文革爱党拥军向东雅芙蓉蓝澜沛沁淳淇渊湘滢漫潇涓婕萌蔓芷茹菁莎莺鹃"
)
COMPOUND = "欧阳 司马 上官 诸葛 司徒 慕容 夏侯 皇甫 尉迟 公孙 令狐 端木 长孙 宇文 东方 西门 南宫 独孤 轩辕"
COMMON = (  # of them 小 and 老 make a name
    "王李张刘陈赵吴周徐孙朱胡郭何林罗郑梁谢宋唐许邓冯韩曹彭曾肖萧田董潘袁蔡蒋余杜叶程魏苏吕丁沈"
    "任姚卢傅钟姜崔谭廖范汪陆黄杨"
)
FOREIGN = (
    "安娜 玛丽 玛丽亚 玛利亚 约翰 大卫 彼得 保罗 汤姆 杰克 露西 艾米 艾米丽 艾玛 爱玛 萨拉 莎拉 苏珊 琳达 "
    "珍妮 珍妮弗 杰西卡 丽莎 莉莎 凯特 凯瑟琳 伊丽莎白 维多利亚 夏洛特 索菲 索菲亚 奥利维亚 伊莎贝拉 "
    "爱丽丝 艾丽丝 安妮 南希 海伦 黛安娜 戴安娜 玛格丽特 露丝 朱莉 朱莉娅 朱丽叶 罗密欧 哈利 哈里 威廉 "
    "查尔斯 乔治 爱德华 亨利 詹姆斯 罗伯特 迈克尔 麦克 史蒂夫 史蒂文 史密斯 琼斯 布朗 约翰逊 威尔逊 泰勒 "
    "特朗普 拜登 奥巴马 克林顿 布什 普京 默克尔 马克龙 丘吉尔 林肯 华盛顿总统 乔布斯 盖茨 马斯克 爱因斯坦 "
    "牛顿 达尔文 莎士比亚 贝多芬 莫扎特 巴赫 肖邦 毕加索 梵高 达芬奇 托尔斯泰 安德烈 伊万 娜塔莎 奥尔加 "
    "弗拉基米尔 穆罕默德 阿里 法蒂玛 艾哈迈德 哈桑 优素福 阿卜杜拉 卡洛斯 何塞 胡安 玛丽娅 佩德罗 路易 "
    "路易斯 皮埃尔 让娜 弗朗索瓦 汉斯 卡尔 弗里茨 托马斯 马丁 马丁内斯 罗德里格斯 加西亚 费尔南多 "
    "克里斯 克里斯蒂娜 丹尼尔 本杰明 亚历山大 安德鲁 安东尼 马修 约瑟夫 凯文 布莱恩 杰森 艾伦 埃里克 "
    "尼古拉斯 菲利普 雅各布 雷切尔 瑞秋 莫妮卡 菲比 乔伊 钱德勒 罗斯 露娜 贝拉 格蕾丝 克莱尔 劳拉 莉莉 "
    "米歇尔 伊凡 鲍里斯 迪米特里 山田 佐藤 铃木 田中 高桥 渡边 伊藤 中村 小林 加藤 吉田 山本 村上春树 "
    "宫崎骏 金正恩 阿米尔 普丽娅 拉吉 甘地 尼赫鲁 莫迪 曼德拉"
)
SOUNDS = (
    "阿埃艾爱安昂奥巴白班邦保鲍贝本比彼毕宾波博勃伯布查柴达戴丹当道得德登邓迪蒂丁顿东杜多恩尔法凡方"
    "菲费芬丰佛夫弗福富盖甘冈高戈哥格根古瓜圭哈海汉豪赫亨洪胡华怀霍基吉加贾简杰金津卡凯坎康考柯科克"
    "肯孔库夸昆拉莱赖兰朗劳勒雷蕾里利莉莲林琳龙卢鲁露路伦罗洛吕马玛麦迈曼芒毛梅门蒙米密明莫墨默姆穆"
    "拿娜纳奈南内尼宁纽努诺欧帕潘庞佩彭蓬皮平泼普契奇齐恰钱强乔切琴琼丘让热仁日荣茹儒瑞若萨塞赛桑瑟"
    "沙莎山珊尚绍舍申什圣施史士舒顺斯丝思司松苏苏索塔太泰坦汤唐陶特腾提廷通图托瓦万旺威韦维为魏温文"
    "翁沃乌吾武西希席夏香谢辛欣休徐许雪雅亚扬耶叶伊因英尤于宇雨约云赞泽扎詹珍芝朱卓兹子佐丽妮妲妮黛"
)
TITLES = (
    "先生|女士|小姐|太太|夫人|老师|教授|医生|大夫|护士|博士|经理|总经理|总裁|主任|同学|同志|律师|记者|警官|"
    "师傅|阿姨|叔叔|伯伯|大爷|大妈|大叔|大姐|大哥|奶奶|爷爷|哥|姐|嫂|董事长|董事|总统|总理|主席|部长|市长|"
    "省长|县长|校长|院长|书记|局长|处长|科长|法官|教练|导演|队长|团长|将军|司令|老板|院士|工程师|法师|老太太|"
    "老先生|姑娘|医师|秘书|所长|馆长|站长|班长|议员|大使|牧师|神父|道长|总"
)
# fmt: on


def main() -> None:
    """Write the lists and say how many names each has."""
    for language, countries in COUNTRIES.items():
        given, family = _fakers(countries)
        given -= set(NOT[language].split())
        family = {name for name in family if len(name) > 2 and name[0].isupper()}
        write(language, "surnames", "Surnames, for names.txt beside this file", sorted(family))
        write(language, "given", "Given names, for names.txt beside this file", sorted(given))
        write(language, "names", "Names of people", PATTERNS[language])
        print(f"{language}: {len(given):,} given names, {len(family):,} surnames")
    chinese()
    traditional()


_FAKER = ", from Faker (MIT)"
SOURCES = {
    ("zh", "names"): ", which holds the characters",
    ("zh", "notnames"): ", from jieba's dictionary (MIT)",
}


def write(language: str, name: str, what: str, lines: list[str]) -> None:
    """Write one list with the head that every list has."""
    head = f"# {what}. Replace this list by MASKVIZ_HOME/lexicons/{language}/{name}.txt.\n"
    source = f"# Made by recipes/names_of_languages.py{SOURCES.get((language, name), _FAKER)}.\n"
    path = LISTS / language / f"{name}.txt"
    path.write_text(head + source + "\n".join(lines) + "\n", encoding="utf-8")


def _fakers(countries: tuple[str, ...]) -> tuple[set[str], set[str]]:
    """Return the given names and surnames of Faker, those of two letters left out."""
    given: set[str] = set()
    family: set[str] = set()
    for country in countries:
        provider = importlib.import_module(f"faker.providers.person.{country}").Provider
        for kind in ("first_names", "first_names_male", "first_names_female"):
            names = getattr(provider, kind, ())
            given.update(() if isinstance(names, property) else names)
        family.update(provider.last_names)
    single = {name for whole in given for name in whole.split() if len(name) > 2}
    return {name for name in single if name[0].isupper() and "." not in name}, family


def chinese() -> None:
    """Write the Chinese names: what surrounds a surname's and a given name's characters."""
    words = {w: n for w, n, tag in _dictionary() if tag not in ("nr", "nrt", "nrfg") and n >= 3}
    words |= dict.fromkeys(NOUNS.split(), 100)
    single, given = sorted(set(SURNAMES) | set(COMMON)), sorted(set(GIVEN))
    before, behind = defaultdict(set), defaultdict(set)
    for word, count in words.items():
        if len(word) == 2 and count >= 100:
            before[word[1]].add(word[0])
            behind[word[0]].add(word[1])
    surnames = [_guarded("(?<![%s])", before[s] - set("小老阿姓和与"), s, True) for s in single]
    last = "|".join(_guarded("(?![%s])", behind[g], g, False) for g in given)
    looks = {w for w in words if 2 <= len(w) <= 3 and w[0] in single and set(w[1:]) <= set(given)}
    looks |= set(NOUNS.split())
    any_given = f"[{''.join(given)}]"
    lines = [
        rf"re:(?!{{notnames}})(?:{'|'.join(surnames)})(?:{any_given}{{0,2}}(?=(?:{TITLES}))|"
        rf"{any_given}?(?:{last}))",
        rf"re:(?:{COMPOUND.replace(' ', '|')})(?:{any_given}{{1,2}}|\p{{Han}}{{1,2}}?"
        rf"(?=[，。、！？；]|$|的|和|是|在|说|去|来|没|有|了|也|都|从|被|把)|(?={TITLES}))",
        f"re:(?<![大从最很太多变极])[小老阿][{COMMON}](?!{any_given}?(?:时|学|说话))",
        r"re:(?:我叫|名叫|叫做|名为|姓名[:：]|名字(?:叫|是)|自称|取名|化名)\K"
        rf"(?:[{''.join(single)}]\p{{Han}}{{1,2}}|[{SOUNDS}]{{2,6}})(?=[，。、！？；,.!?\s]|$|的|和)",
        rf"re:[{SOUNDS}]{{1,6}}(?:[·•・‧][{SOUNDS}]{{1,8}})+",
        *FOREIGN.split(),
    ]
    write("zh", "names", "Names: a surname and one or two characters of given names", lines)
    write("zh", "notnames", "Words that look like a name, for names.txt", sorted(looks))
    print(f"zh: {len(single)} surnames, {len(given)} characters, {len(looks):,} words left out")


def _guarded(guard: str, characters: set[str], one: str, front: bool) -> str:
    around = guard % "".join(sorted(characters)) if characters else ""
    return around + one if front else one + around


def _dictionary() -> list[tuple[str, int, str]]:
    import jieba

    lines = (Path(jieba.__file__).parent / "dict.txt").read_text(encoding="utf-8").splitlines()
    return [(word, int(count), tag) for word, count, tag in (line.split() for line in lines)]


def traditional() -> None:
    """Append to each Chinese list its lines in traditional characters, where they differ."""
    from zhconv import convert

    mark = "# The same in traditional characters."
    for path in sorted((LISTS / "zh").glob("*.txt")):
        lines = path.read_text(encoding="utf-8").split(mark)[0].rstrip("\n").split("\n")
        own = [line for line in lines if not line.startswith("#")]
        other = [t for line in own if (t := convert(line, "zh-hant")) != line]
        if other:
            lines += [mark, *dict.fromkeys(other)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

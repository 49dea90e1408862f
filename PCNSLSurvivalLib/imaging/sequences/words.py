"""The words that names of MR series are made of, as regular expressions over spaced small letters.

English, German, French, Spanish, Italian, Portuguese and Dutch; the commonest words of Slavic, Nordic and Baltic
languages, Romanian, Hungarian, Turkish, Greek, Indonesian, Vietnamese, Hebrew, Arabic, Thai, Chinese, Japanese and
Korean; and the abbreviations of the vendors. ``names`` says in which order they count. Every pattern is
matched between places where no letter stands, see ``BOUNDED``.
"""

from __future__ import annotations

from PCNSLSurvivalLib.core.terms import MRSequence

BOUNDED = r"(?<![a-z])(?:{})(?![a-z])"

LETTERS = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "æ": "ae", "đ": "d", "ı": "i"})
"""Letters that have no accent to take off."""

_PLANES = r"ax|axial|axi|sag|sagittal|cor|coronal|tra|trans|obl|[23]d|pre|post|ce|km|gd|gad|vor"
# One T1 taken from another has the agent on one side of the dash: "T1 CE - T1"; "AX T1 POST-T1 SAG POST" joins two.
_AGENT_OR_POST = (
    r"(?:(?<![a-z])|(?<=t1w))(?:post|nach|apres|po|ce|c|gd|gad[a-z]*|km|mdc|contrast[a-z]*|контраст)(?![a-z0-9])"
)
_ANY = ".{0,255}"
_LESS_T1 = r"[-−–][ _]?t1(?![0-9])"
_T1_LESS_T1 = rf"(?<![a-z0-9])t1[a-z0-9\u0400-\u04ff+_ ]{{0,20}}{_LESS_T1}"
_OF_RATIO = r"(?:gd|gado?|ce|c|km|\+ ?c?|post(?:[ _]?(?:gd|gado?|km|c))?)"
_A_B = r"(?:a ?[-−–] ?b|b ?[-−–] ?a)"
_TO_SUBSTANCE = r"(?=gd|gad|contr|ctr|civ|iv)"

REWRITTEN = (
    (r"\.(?:nii|nrrd|nhdr|mha|mhd|gz|dcm|ima|hdr|img|mgz)(?![a-z0-9])", " "),
    # Subject and session of BIDS: "sub-01" is no subtraction, "ses-T1" no sequence.
    (r"(?<![a-z0-9])(?:sub|ses)-[a-z0-9]+|(?<![a-z0-9])sub\d+|^\s*sub[_ ]\d+|^\s*sub_[a-z0-9]+", " "),
    # Names of patients in public collections: FG is a center of TCGA, SEG and Post are parts of a collection's name.
    (
        r"(?<![a-z0-9])(?:tcga[-_ .][a-z0-9]{2}(?![a-z0-9])|vs[-_ ]seg[-_ ]\d+|meningioma[-_ ]seg[-_ ]class[-_ ]\d+|"
        r"mu[-_ ]glioma[-_ ]post)",
        " ",
    ),
    (r"(?<![a-z])space-(?:t[12]w?|flair|mni[a-z0-9]*|orig[a-z]*)", " "),
    (r"(?<![a-z])w ?[/\\] ?o(?![a-z])", "without "),
    (r"(?<![a-z])w ?/ ?(?=[a-z])", "with "),
    (r"(?<![a-z])c/c(?![a-z])", "con contraste"),
    (r"(?<![a-z])s/c(?![a-z])", "sin contraste"),
    (rf"(?<![a-z])c/ ?{_TO_SUBSTANCE}", "con "),
    (rf"(?<![a-z])s/ ?{_TO_SUBSTANCE}", "sin "),
    (r"т(?=[12])", "t"),
    # "к/у" and "ку" of "контрастное усиление", not the letters inside or between other words: "на катушку", "снимок у".
    (r"(?<![\u0400-\u04ff])к(?:[ _-]?/[ _-]?)?у(?![\u0400-\u04ff])", "контраст"),
    (r"[δ∆](?=[ _]?t1)", " subtraction "),
    # A ratio: "T1Gd/T1", not two series in one name as in "T1 SE/T1 FSE POST".
    (rf"(?<![a-z0-9])t1w?[ _]?{_OF_RATIO}[ _]?/[ _]?t1w?(?![a-z0-9])", " subtraction "),
    (rf"(?<![a-z0-9])t1w?/t1w?[ _]?{_OF_RATIO}(?![a-z0-9])", " subtraction "),
    # "A-B" in brackets or behind "T1", as scanners write it; before it stand a patient's initials.
    (rf"[(\[] ?{_A_B} ?[)\]]", " subtraction "),
    (rf"((?<![a-z0-9])t1[a-z0-9+_ ]*[ _]){_A_B}(?![a-z0-9]|[-−–])", r"\1subtraction "),
    (r"(?<![a-z])m\. ?d\. ?c(?![a-z])", "mdc"),
    (r"(?<![a-z])p\. ?d\. ?c(?![a-z])", "pdc"),
    (r"(?<![a-z])k\. ?m(?![a-z])", "km"),
    (r"(?<![a-z])k\. ?l(?![a-z])", "kl"),
    (r"(?<![a-z])i\. ?v(?![a-z])", "iv"),
    (r"(?<![a-z])m\.?[ _]?(?=km)", "mit "),
    (r"(?<![a-z])o\.?[ _]?(?=(?:iv[ _.]*)?km)", "ohne "),
    (r"(?<![a-z])n\.?[ _]?(?=(?:iv[ _.]*)?km)", "nach "),
    (r"(?<![a-z])v\.?[ _]?(?=(?:iv[ _.]*)?km)", "vor "),
    (rf"^(?={_ANY}{_AGENT_OR_POST}{_ANY}{_LESS_T1}){_ANY}{_T1_LESS_T1}(?!{_ANY}{_AGENT_OR_POST})", " subtraction "),
    (rf"^(?!{_ANY}{_AGENT_OR_POST}{_ANY}{_LESS_T1}){_ANY}{_T1_LESS_T1}(?={_ANY}{_AGENT_OR_POST})", " subtraction "),
    # A minus behind or before the agent: "C-", "Gd-", "T1 -C"; "T1-C" has a dash for a space.
    (r"(?<![a-z+])(?:c|gd|gado?|km|iv|civ|mdc)[-−–](?=[\s_)\]]|$)", " without contrast "),
    (r"(?<=[\s_])[-−–](?:c|gd|gado?|km|iv|mdc)(?![a-z])", " without contrast "),
    (r"t2[ _-]?(?:weighted|wi?)?[ _-]*\*", " t2star "),
    (r"(?<![a-z0-9])t13d(?![a-z0-9])", "t1 t13d"),
    # Letters of Greek, Cyrillic, Hebrew, Arabic, Thai, Japanese, Chinese and Korean stay.
    (
        r"[^a-z0-9+\u0370-\u03ff\u0400-\u04ff\u05d0-\u05ea\u0620-\u064a\u0e01-\u0e4e\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]+",
        " ",
    ),
    (r"\s*\+\s*", " +"),
    (
        rf"(?<![a-z])((?:(?:{_PLANES}) ?)*)(t[12])(?!\d|rho|star)(?:w(?:eighted|i(?![a-z])|t(?![a-z])|(?!i[a-z])))?",
        r"\1 \2 ",
    ),
    # "FLAIR to T1Gd", "T2 in T1 space": what it was registered to is not what it is.
    (r"\b(?:to|onto|auf) +t[12](?: +(?:gd|ce|c|post|pre))?(?![a-z])", " "),
    (r"\b(?:to|onto|auf) +flair(?![a-z])", " "),
    (r"(?<=[a-z])2 +t[12](?![a-z])", " "),
    (r"\bin +t[12](?: +(?:gd|ce|c|post|pre))? +space\b", " "),
)
"""Pattern and replacement, one after another, on small letters without accents."""

_CYRILLIC = r"[\u0400-\u04ff]*"

_AGENT = (
    r"gd|gad|gado[a-z]*|gadavist|gd ?(?:dtpa|dota|bopta|do3a)|dtpa|dota(?:rem|graf|vision|gita)[a-z]*|clariscan|"
    r"magnevist[a-z]*|magnegita|multihance|prohance|omniscan|primovist|eovist|optimark|elucirem|vueway|artirem|"
    r"cyclolux|ablavar|vasovist"
)
_SUBSTANCE = (
    rf"{_AGENT}|contrast[a-z]*|kontras[a-z]*|km|kl|mdc|mezzo(?: di)? contrasto|pdc|cte|ctte|ctr|"
    rf"produit(?: de)? contraste|"
    r"inj|inject[a-z]*|injektion|iniezione|inyeccion|injecao|ce|civ|iv|ev|c|enhanc[a-z]*|"
    rf"ivkm|tehost[a-z]*|контраст{_CYRILLIC}|усилен{_CYRILLIC}|підсилен{_CYRILLIC}|σκιαγραφικο|ניגוד|גדוליניום|تباين|صبغة"
)
_OF = (
    r"(?: (?:de|del|della|d|di|do|da|dem|der|la|l|le|el|il|the|of|gabe|von|iv|i v|to|in[jy]e[ckz][a-z]*|injek[a-z]*|"
    r"admin[a-z]*|podan[a-z]*|substant[a-z]*|srodk[a-z]*))*"
)
_BEFORE = (
    r"pre|prae|before|prior|vor|avant|antes|prima|voor|fore|foer|innan|for(?= (?:iv )?(?:kontrast|gad|gd|km))|"
    r"przed|pred|prije|pries|pirms|enne|ennen|inainte|sebelum|truoc|до|преди|пред|перед|προ|πριν|לפני|قبل|กอน(?:ฉีด)?"
)
_WITHOUT = (
    r"no|non|not|never|zero|neg|negative|without|w ?o|un|ohne|kein[a-z]*|sans|sin|senza|sem|zonder|geen|nao|utan|uden|"
    r"uten|u(?= (?:iv )?kontrast)|bez|brez|be(?= )|minus|ilman|ilma|fara|tanpa|khong|sense|"
    r"pa(?= kontrast)|(?<!\d)0(?= [ck]ontrast)|без|χωρις|ανευ|ללא|בלי|بدون|"
    r"ไม(?:ฉีด)?"
)
_AFTER = r"post|after|nach|apres|despues|depois|tras|dopo|apos|pos|na|efter|etter|po|после"
_WITH = r"with|w|mit|avec|con|com|met|med|z|с|so"
_AND = r"(?:und|and|u|et|y|e|en|och|og|i|и|\+)"

_TREATED = (
    r"op|ops|oper[a-z]*|surg[a-z]*|treat[a-z]*|therap[a-z]*|ther|tx|rt|rtx|xrt|radi[a-z]*|rad|chemo[a-z]*|ct|"
    r"resec[a-z]*|resek[a-z]*|biops[a-z]*|process[a-z]*|proc|mortem|partum|ictal|stroke|shunt|traum[a-z]*|gk|gamma|"
    r"srs|"
    r"evd|steroid[a-z]*|cycle|cir[a-z]*|quir[a-z]*|stim[a-z]*|behandl[a-z]*|bestrahl[a-z]*|intervent[a-z]*|"
    r"embol[a-z]*|"
    r"transpl[a-z]*|car ?t|mtx|lp|dbs|tumou?r|cryo|infection|bleed[a-z]*|seizure"
)
_NOT_TREATED = rf"(?! ?(?:{_TREATED})(?![a-z]))"

STUDY = (
    rf"(?!(?:no|non|w ?o|without) ?con(?![a-z]))(?:{_BEFORE}|{_WITHOUT}) ?{_AND}? ?(?:{_AFTER}|"
    rf"{_WITH}){_NOT_TREATED}(?:{_OF} ?(?:{_SUBSTANCE}))?|"
    rf"(?:{_AFTER}|{_WITH}) ?{_AND}? ?(?:{_BEFORE}|{_WITHOUT}){_NOT_TREATED}(?:{_OF} ?(?:{_SUBSTANCE}))?"
)
"""Before and after in one breath, as names of whole exams have it."""

DENIED = (
    r"kontrasts(?:i|u|y)z[a-z]*|ilacsiz|kontrasti(?:ta|ton|tto[a-z]*)|"
    # In some languages the word stands behind what it denies.
    rf"(?:{_SUBSTANCE}) (?:nelkul|elott|oncesi|olmadan|yok|neg[a-z]*|not (?:given|administered|used)|"
    r"refused|withheld|declined)|"
    rf"(?:{_BEFORE}|{_WITHOUT}){_OF} ?(?:(?:contrast|kontrast)[a-z]* ?enhanc[a-z]*|{_SUBSTANCE})|"
    rf"(?:contrast[a-z]*|kontras[a-z]*|{_AGENT}|km|ce) (?:pre{_NOT_TREATED}|before|none|no|free)|pre{_NOT_TREATED}|"
    r"native?|nativ[ao]|natif|plain|blanco|basale|simple|leer|unenhanced|(?:no|non|w ?o|without) ?con|"
    r"(?:ohne|sans|senza|sem|zonder)$|"
    r"平扫|平掃|単純|(?:造影剤?|增强|增強)(?:の)?(?:なし|無し?|(?:投与|注射|注入)?前)|[未无無非不没](?:造影|增强|增強)|"
    r"(?:조영제?|증강) ?(?:없음|없이|(?:주입|투여|주사)? ?전)|[비무] ?조영"
)
"""What says that no contrast agent was given, or not yet."""

AFTER_TREATMENT = rf"(?:post|nach|pos|after|apres|dopo) ?(?:{_TREATED})"
""""Post" of something else than the contrast agent."""

CONTRAST = (
    rf"{_AGENT}|(?:{_AFTER}|{_WITH}){_OF} ?(?:{_SUBSTANCE})|(?:po|s|so|z) kl|(?:with|w) con(?![a-z])|"
    r"contrast ?enhanc[a-z]*|"
    r"kontrastverst[a-z]*|"
    r"\+ ?(?:c|ce|km|iv|ev|civ|mdc|contrast[a-z]*|kontras[a-z]*|inj[a-z]*)|(?:c|ce|iv|km|civ|mdc|gd|"
    r"gado?) ?\+(?![a-z0-9])|"
    r"造影後|造影(?!前|なし)|增强|增強|조영(?! ?전)|증강(?! ?전)"
)
"""What says by itself that the contrast agent was given."""

_T1_NAMES = ("t1", "mprage", "mp rage", "spgr", "bravo", "tfe", "vibe", "cube", "vista", "space")
_BEHIND_T1 = "(?:{})".format("|".join(f"(?<={name} )" for name in _T1_NAMES))

CONTRAST_BESIDE_T1 = (
    r"post|pos|contrast[a-z]*|kontras[a-z]*|ce|km|mdc|pdc|civ|enh|enhanc[a-z]*|inj|inject[a-z]*|injektion|t13d|"
    rf"ivkm|ilacli|tehost[a-z]*|sau tiem|усилен{_CYRILLIC}|підсилен{_CYRILLIC}|σκιαγραφικο|"
    rf"kl|{_BEHIND_T1}c(?!\d)|{_BEHIND_T1}\+(?![a-z0-9])|контраст{_CYRILLIC}"
)
"""What says it where the name tells of a T1 as well."""

T1 = (
    r"t1(?!\d)|mp ?2?rage|rage|(?:ir )?f?spgr|irfspgr|bravo|3d ?tfe|tfe ?3d|t?tfl(?: ?3d)?|vibe|thrive|mdeft|"
    r"(?:3d ?flash|flash ?3d)"
)
BESIDE_T1 = {
    MRSequence.FLAIR: r"flair[a-z]*|tirm|dark ?fl(?:uid)?|da ?fl|t2 f|fluid ?att[a-z]*",
    MRSequence.T2: r"t2(?!\d)|frfse",
}
"""The other sequences; a name that tells of several is of the first: "T2 FLAIR" is FLAIR."""
T1_FLAIR = (
    r"t1 (?:(?:w|se|tse|fse|ir|[23]d|ax|axial|sag|sagittal|cor|coronal|tra) )*"
    r"(?:flair[a-z]*|tirm|dark ?fl(?:uid)?|da ?fl)"
)
PROTON_DENSITY = r"pdw?|dp|proton ?dens[a-z]*|protonen[a-z]*"

NO_SCAN = (
    r"[a-z]*mask[a-z]*|masque|mascara|maschera|[a-z]*labels?|[a-z]*seg|segm[a-z]*|rois?|voi|gtv|ctv|ptv|[o]?edema|"
    r"odem|necro[a-z]*|pred(?! (?:kl|kontrast|podan))|predict[a-z]*|prob[a-z]*|lesions?|lasion[a-z]*|laesion[a-z]*|"
    r"contours?|rtstruct|annot[a-z]*|aligned|corrected|bias ?field|preprocessed|activations?|evidence|grad ?cam|cam|"
    r"repaired|network|under its transform|"
    r"[a-z]*maps?|mapping|karte|mapp?a|carte"
)
"""Masks, maps, and results of this software."""

_DIFFUSION = (
    r"dwi[a-z]*|diff|diffusi[a-z]*|difus[a-z]*|[de]?adc[a-z]*|trace[a-z]?|ep2d[a-z]*|epi|b0|b ?\d{3,4}|dti|tensor|"
    r"tracto[a-z]*|dki|noddi|ivim|hardi|resolve|弥散|彌散|扩散|擴散|拡散|확산"
)
_PERFUSION = (
    r"perf|perfus[a-z]*|pwi|dsc|dce|[ps]?c?asl|r?cb[vf]|relcb[vf]|mtt|ttp|tmax|k ?trans|dyn|dynam[a-z]*|dinam[a-z]*|"
    r"灌注|灌流|관류|twist|tricks|leakage|(?:care|test) ?bolus|bolus ?track[a-z]*|gbp|pbp"
)
_SUSCEPTIBILITY = (
    r"swi[a-z]?|swan|swip|suscept[a-z]*|suszept[a-z]*|t2star|t2 (?:star|stern|etoile|estrella|stella|ster|hemo|"
    r"haemo)|"
    r"h[ae]{1,2}mo|ven ?o? ?bold|minip|m ?ip|maxip|qsm"
)
_ANGIOGRAPHY = (
    r"tof|angio[a-z]*|[a-z]{0,3}mra|mrv|venogr[a-z]*|phlebo[a-z]*|pc ?[23]d|[23]d ?pc|pca|carot[a-z]*|karotis|willis|"
    r"血管|혈관|phase ?contrast|phasenkontrast|contraste? de (?:fase|phase)"
)
_SUBTRACTION = (
    r"subs?|subtr?|subtr[a-z]+|substr[a-z]*|soustr[a-z]*|sottr[a-z]*|sustr[a-z]*|resta|diff?(?:er[a-z]*)?(?! ?sat)|"
    r"ratio|quotient|minus|odejm[a-z]*|odecet[a-z]*|cikar[a-z]*|(?:субтракц|вычит|разност)[\u0400-\u04ff]*|dsa|"
    r"z ?scores?|wash ?(?:out|in)|(?:percent|relative|signal) ?(?:signal )?enhancement|"
    r"减影|減影|差分|減算|剪影|サフトラクション|サブトラクション|감산"
)
_LOCALIZER = (
    r"[a-z]*scout[a-z]*|locali[sz][a-z]*|lokali[sz][a-z]*|locator|loc|survey|survy|surview|pilot|3 ?pl(?:ane)?s?|"
    r"three ?planes?|tri ?plan[a-z]*|topogram[a-z]*|scano[a-z]*|plan ?scan|planung|smart ?brain|calib[a-z]*|cal|"
    r"asset ?cal|ref(?:erence)? ?scan|sense ?ref|coil ?(?:sens[a-z]*|survey|ref)|shim[a-z]*|prescan|phoenix[a-z]*|"
    r"report|screen ?(?:shot|save)|repera[a-z]*|field ?map[a-z]*"
)
_OTHER_CONTRASTS = (
    r"stir|psir|t[12]rho|molli|inv ?[12]|spectro[a-z]*|svs|csi|mrsi?|bold|fmri|resting|mixed ?echo|synth[a-z]*|symri|"
    r"magic|cest|apt[wc]?|mtr|delta|fused|(?:pet|spect)(?: \w+){0,3} fusion|fusion(?: \w+){0,3} (?:pet|spect)|rt ?dose|"
    r"coil ?check|dixon(?: \w+){0,3} (?:f|fat)(?! ?(?:s|red))|"
    r"fat ?(?:only|images?)|vrt|render[a-z]*|thumbnails?|key ?images?|phantom|phantome|fantom[a-z]*|fet(?:al|us|o)|"
    r"foetal|fotal|mouse|murine|rodents?|(?:rat|maus|mause|ratten) ?(?:brain|head|hirn|gehirn|kopf)"
)
OTHER_IMAGE = "|".join(
    (_DIFFUSION, _PERFUSION, _SUSCEPTIBILITY, _ANGIOGRAPHY, _SUBTRACTION, _LOCALIZER, _OTHER_CONTRASTS)
)
OTHER_IMAGE_IF_SILENT = (
    r"fa|md|rd|ad|mag|magnitude|phase|pha|ciss|fiesta|b?ffe|trufi|gre|space|"
    r"mtc?|pdw?|proton ?dens[a-z]*|ct|cta|pet|spect|dose|ute|zte|haste|ss ?(?:t|f)se"
)
"""Words that tell of another image only where no weighting is named: "FA" is a flip angle as well."""
GRADIENT_ECHO = r"gre|ffe|fl ?2d|fl ?3d|flash(?: ?2d)?|medic"
"""Weighted by susceptibility, unless the name tells of T1."""

OTHER_REGION = (
    # spine and neck
    r"[ctl] ?spine|spine|spinal[a-z]*|[hblg]?ws|wirbel[a-z]*|cervic[a-z]*|zervi[a-z]*|thorac[a-z]*|thorak[a-z]*|"
    r"lumb[a-z]*|"
    r"sacr[a-z]*|rachis|columna|colonna|coluna|wervel[a-z]*|myelo[a-z]*|t1 t1[0-2]|neck|hals|cuello|collo|pescoco|"
    r"nek|"
    # parts of the head, seen through a small window
    r"orbit[a-z]*|iac|iacs|iam|cpa|cae|cai|kbw|felsenbein[a-z]*|inner ear|innenohr|rochers?|cochlea[a-z]*|pituit[a-z]*|"
    r"hypo(?:phys|fys)[a-z]*|hipofis[a-z]*|ipofis[a-z]*|sell?ar?|selle(?: turcique)?|tmj|"
    r"kiefer[a-z]*|nasophar[a-z]*|nnh|larynx|optic[a-z]*|"
    r"trigemin[a-z]*|temporal bone|petrous|gesicht[a-z]*|facial|face|"
    r"(?:skull|cranial) ?base|base of (?:the )?skull|schadelbasis|schaedelbasis|sinus(?:es)?|nasen?|nasenneb[a-z]*|"
    # the rest of the body
    r"knee|knie|genou|rodilla|ginocchio|joelho|abdom[a-z]*|pelvi[a-z]*|becken|thorax|chest|liver|leber|foie|higado|"
    r"fegato|heart|cardiac|herz|breast|mamma|prostat[a-z]*|shoulder|schulter|hip|hufte|ankle|foot|wrist|elbow|femur|"
    r"plexus[a-z]*|brachial[a-z]*|whole ?body|ganzkorper[a-z]*|corps entier|cuerpo entero|"
    r"tibia|kidney|renal|extremity|leg|arm|"
    r"addom[a-z]*|brachyther[a-z]*|"
    # Polish, Czech, Nordic, Turkish, Russian
    r"kregosl[a-z]*|przysad[a-z]*|oczodol[a-z]*|szyj[a-z]*|ledzw[a-z]*|kolan[a-z]*|pater|hypofyz[a-z]*|ocnic[a-z]*|"
    r"krcni|beder[a-z]*|[a-z]*rygg[a-z]*|omurga[a-z]*|hipofiz[a-z]*|servik[a-z]*|lomber|torakal|diz|"
    r"(?:позвон|гипофиз|печен|орбит|шеин|грудн|поясн|колен|сустав|малого таза|молочн|почк)[\u0400-\u04ff]*|"
    # Chinese, Japanese and Korean, without spaces between words
    r"颈|頸|頚|腰|胸|脊|肝|肾|腎|膝|髋|肩|乳腺|乳房|骨盆|盆腔|骨盤|腹|前列腺|前立腺|心脏|心臓|眼眶|眼窩|垂体|垂體|下垂体|鞍区|"
    r"内听道|内耳|鼻咽|경추|요추|척추|척수|뇌하수체|안와|무릎|골반|유방"
)
BRAIN = (
    r"brain|head|kopf|schad[a-z]*|schaed[a-z]*|neuro[a-z]*|crane|crani[a-z]*|cerebr[a-z]*|encefal[a-z]*|"
    r"encephal[a-z]*|"
    r"cabeza|cabeca|testa|hirn|gehirn|hersen[a-z]*|hoofd|skull"
)

FAT_SUPPRESSED = r"fs|fat ?sat[a-z]*|fatsat|spir|spair|dixon|fett?s[a-z]*|fg|sat ?graisse|fatsup[a-z]*|water|we"
REFORMATTED = r"mpr|reformat[a-z]*|reform|recon[a-z]*|rekon[a-z]*|rek|ref|resampled|reg|registered|coreg[a-z]*"
THREE_D = r"3d|mp ?2?rage|(?:ir )?f?spgr|bravo|t?tfl|3d ?tfe|tfe ?3d|vibe|thrive|cube|space|vista|mdeft|t13d|iso"
"""Sequences with thin slices without gaps."""

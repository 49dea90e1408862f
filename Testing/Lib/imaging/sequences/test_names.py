"""One vocabulary: a T1 after contrast is never taken for the plain one, nor the plain one or another image for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from catalogue.scan_builders import truth
from hypothesis import given
from hypothesis import strategies as st
from made_dicom import write_enhanced

from PCNSLSurvivalLib.cohorts.readers.reading import choice_remarks
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.file_names import masks_in
from PCNSLSurvivalLib.imaging.sequences.choice import Preference, Series, choose_series
from PCNSLSurvivalLib.imaging.sequences.header import SeriesHeader, read_series_header
from PCNSLSurvivalLib.imaging.sequences.names import Reason, judge_series, sequence_of

# Names by sequence, one a line and language; a vertical bar parts them.
T1GD = """
T1_CE|T1-CE|T1_C|CE_T1|T1wCE|T1_contrast|T1_contrast_enhanced|T1_postcontrast|post_T1|T1w_post|T1_FS_post|T1post|gad
mprage_post|T1 ax Gadovist|T1+C|T1c+|t1gd1|ax t1 mprage +C|P001T1CE|T1_Gd|MR_T1_post_gad|t1ce|T13D|CT1|cT1w
BraTS-GLI-00012-000-t1c|BraTS20_Training_001_t1ce|sub-1_ce-GAD_run-1_T1w|sub-01_acq-fast_ce-GAD_T1w|SUB01_T1GD
5: Ax T1 +C|AX T1 POST GD|t1_mprage_sag +c|3D T1 BRAVO C+|BRAVO post|3D FSPGR post|SPGR +C|IR-FSPGR C+|VIBE post
T1 CUBE +C|T1 SPACE post|THRIVE gado|3D TFE +C|sT1W_3D_TFE_KM|t1_mpr_sag_KM|T1 FLAIR post gad|t1_tirm_tra_KM
post contrast|+C|T1+|T1 + C|T1+GD_ax|T1 IV+|AX T1 w/contrast|AX T1 with contrast|gadolinium enhanced T1|T1 gadobutrol
T1_post_op_gad|T1 pre-op gad|T1 preop post contrast|T1w_postGd_preRT|axt1gd|T1Post|SagT1wPostGad|MPRAGEPost|T1wGd3D
nach KM|T1 nach KM|T1nachKM|T1KM|T1 mit KM|T1 m. KM|T1 n. KM|T1 SE tra KM|T1_Kontrastmittel
T1 nach i.v. Gabe von Gadovist
T1 MT gd|T1 CT planning post gad|low dose T1 gd|T1 full dose gad
T1 dotarem|T1w avec injection|T1 apres gado|T1 après injection|T1 injecté|EG T1 GADO|T1 après IV
T1 con contraste|T1 c/c|T1 C/GD|T1 CON GADOLINIO|AX T1 CONTRASTE
T1 con mdc|T1 dopo m.d.c.|T1 con mezzo di contrasto
T1 pós contraste|AX T1 POS GD|T1 com contraste
T1 met contrast|T1 na contrast|T1 met gado
T1 efter kontrast|T1 po kontrascie|Т1 с контрастом|Т1 с к/у|Т1 с ку|T1 к / у|T1ку|T1增强|T1WI增强|造影T1
造影後 T1|T1 Ｇｄ|T1‑Gd|轴位T1增强|T1強調 造影|T1 조영증강|T1 s KL|T1 po k.l.|T1 kontrastlı|mozek T1 KL
Ax 3D T1 BRAVO +C|brain-T1-AX-T1Gd|sub-T1_ce-gd_T1w|T1 gd fat sat
AX T1 FSE FAT GD|3D T1 TSE FAT REDUCED GD|T1 VIBE FAT GD|T1 DIXON FAT SAT GD|STEALTH FUSION T1 POST|T1 GD Maus
rat01_T1Gd|Rat_T1_CE|AX T1 POST-T1 SAG POST|T1_Gd_ax-T1_Gd_cor|t1ce-t1ce
T1 cu contrast|T1 dupa contrast|T1 kontraszt után|T1 kontrasztanyaggal|T1 tehosteella|T1 s kontrastom|T1 kontrastiga
T1 dengan kontras|T1 kontrast sonrası|T1 ilaçlı|T1 IVKM|T1 с усилением|T1 з підсиленням|T1 след контраст|T1 sau tiêm
T1 po podání KL|T1 after injection of gadolinium|T1 w/con|T1 μετά σκιαγραφικό|T1 עם gad|T1 بعد gad|造影剤あり T1
T1 增强后|T1 조영제 후|TCGA-06-0184_T1_Gd|VS-SEG-001_t1_gd
AX T1 SE/T1 FSE POST|T1 +C AX / T1 +C COR|case A-B t1gd|T1_tse_fs_gd_A-B-C|A-B t1ce|T1 DIF SAT POST
T1 TSE signal enhanced Gd
"""
T1 = """
T1|T1w|T1_cor|T1_coronal|T1cor|mprage|rage|BRAVO|t1n|3D T1 TFE|T1_fl2d|AX T1 FSE|T1 FLAIR|t1_tirm_tra_dark-fluid
T1_pre|T1_pre_contrast|T1_precontrast|precontrast_T1|T1_contrast_pre|T1_noncontrast|T1_non_contrast|T1 noncon|T1_NonCon
T1_non_contrast_enhanced|T1_no_contrast|T1_pre_gad|T1_without_contrast|T1 w/o contrast|T1_unenhanced|T1_nogad|T1 plain
T1_post_op|T1_postop|postop_T1|preop T1|T1_posterior|T1_center|vincent_T1|visit1_T1|P001_T1w|AXT1|T1 C-|T1 Gd- tra|T1 -C
T1 vor KM|T1vorKM|T1 ohne KM|T1 o. KM|T1 nativ|T1 nach OP|T1 nach Bestrahlung|T1 vor Kontrastmittelgabe|T1 kein KM
T1 sans injection|T1 avant gado|SE T1 AXIAL SANS GADO|T1 sans IV
T1 sin contraste|T1 s/c|T1 simple|AX T1 SIN GADOLINIO
T1 senza mdc|T1 prima del mdc|T1 basale
T1 sem contraste|T1 pré contraste
T1 zonder contrast|T1 blanco
T1 조영전|T1 bez KL|T1 kontrastsız|sub-01_ce-none_T1w|T1 C1D1
T1 utan kontrast|T1 bez kontrastu|T1 без контраста|T1平扫|T1強調
T1 fără contrast|T1 înainte de contrast|T1 fara substanta de contrast|T1 kontrasztanyag nélkül|T1 kontraszt előtt
T1 ilman kontrastia|T1 ennen kontrastia|T1 kontrastiton|T1 ilman tehostetta|T1 brez kontrasta|T1 bez kontrasta
T1 prije kontrasta|T1 pred kontrastom|T1 před KL|T1 pred podanim kontrastu|T1 przed podaniem kontrastu
T1 bez podania kontrastu|T1 prieš kontrastą|T1 be kontrasto|T1 ilma kontrastita|T1 enne kontrasti
T1 tanpa kontras|T1 sebelum kontras|T1 kontrast öncesi|T1 ilaçsız|T1 преди контраст|T1 без усиления|T1 до підсилення
T1 før kontrast|T1 för kontrast|T1 innan kontrast|T1 u/ kontrast|T1 χωρίς gado|T1 πριν gado|T1 ללא גדוליניום|T1 לפני gad
T1 بدون contrast|T1 قبل gad|T1 ไม่ฉีด contrast|T1 ก่อนฉีด gad|T1 造影剤なし|T1 造影剤投与前|T1 增强前|T1 未增强|T1 無造影
T1 조영제 없음|T1 조영제 전|T1 비조영|T1 avant injection de gadolinium|T1 o KM|T1 oKM|T1 vKM|T1 v. i.v. KM|T1 WO CON
T1 pa kontrast|T1 sense contrast|T1 0 contrast|T1 kontrast olmadan
T1 contrast not given|T1 contrast refused|T1 GAD not given|T1 zero contrast|MU-Glioma-Post_0003_t1n
T1 на головную катушку|Т1 SE на катушку|T1 sag головку|T1 оценку|T1 снимок у ребенка|Т1 без к/у
"""
T2 = """
T2|T2w|T2WI|T2 TSE ax|T2_tse_gd|T2 FRFSE|AX T2 BLADE|T2 SPACE|sagT2|T2 FS|T2 tse tra KM|T2_to_T1Gd|T2 in T1 space
space-T1w_T2w|BraTS-GLI-00012-000-t2w
"""
FLAIR = """
FLAIR|T2 FLAIR|T2-FLAIR|T2FLAIR|FLAIR_post_gad|t2f|TIRM|dark fluid|DarkFluid|t2_tirm_tra_dark-fluid|t2_spc_da-fl
3D FLAIR CUBE|SPACE FLAIR|flair_to_T1Post|FLAIR2T1|space-T1w_FLAIR|BraTS20_Training_001_flair
"""
NONE = """
ce|post|KM|contrast|patient1|visit1|part2|set1|test2|T10|T1-T12|Volume_3|CT2|PD T2 dual
AX DWI POST GAD|T1 DWI|ADC|b1000|ep2d_diff_3scan_trace|DTI|FA|DSC perfusion gad|perfusion T2|dynamic T1 +C|DCE T1|rCBV
SWI|swan|venobold|T2*|T2w*|T2*_gre|T2 star|T2 Stern|T2 GRE|T2 FFE|gre_T2
TOF 3D|MRA post gad|Angio gado|CE-MRA|phase contrast|T1 post MIP
T1 subtraction|T1 SUB|T1 post minus pre|T1 SOUSTRACTION|T1 sottrazione|Sub T1 post-pre
T1 C-spine|T1_C-Spine|cspine T1 post|HWS T1 KM|LWS T1|T1 rachis gado|knee T1|Hals T1 KM
AX T1 FS ORBITS POST GAD|orbit fat-sat T1 +C|T1 hypophyse gado|Sella T1 post|IAC T1 post|Gesicht T1 KM
survey|localizer|localizer T1 post|3-plane loc|AAHead_Scout|STIR|T1Rho|synthetic T1 gad|Field map|MRS|fMRI
T1Gd brain mask|T1Gd_seg|T1ce_mask|T1 Masque|T1GDlabel|T1 map|t1map|T1 gd map|T2 as label|T1 gd edema
T1Gd aligned|T1Gd bias-corrected|T1Gd without bias field|T2 aligned with T1Gd|CAM T1Gd
Evidence|T1Gd as the network reads it
T1 pre and post gad|T1 vor und nach KM|T1 post-pre
k-trans T1 post|CEST post gad|APT gd|MT_gd|MTR T1 gd|PD_gd|CT head with contrast|PET_gd|UTE gd|delta T1 gd
T1Gd fused|gd dose|coil check gd|WS T1 km|whole body T1 gd|skull base T1 gd|Schädelbasis T1 gd|face T1 gd
sinus T1 gd|brachial plexus T1 gd|T1 selle turcique gado|T1 CAE gado|RM addome T1 mdc
T1 CE - T1|T1+C - T1|T1C-T1|t1 post - t1 pre|T1 Gd SUBTR
ΔT1 Gd|T1 КУ - Т1|T1造影サブトラクション|T1 вычитание с контрастом|T1 resta contraste|T1 çıkarma kontrast
T1 SUBT gd|Dif_T1Gd|T1Gd/T1|T1/T1 post|T1Gd (A-B)|T1 Gd B-A|T1 washout gd|T1 gd percent enhancement
AX T1 GD/T1|T1 CE/T1|T1 Gad/T1|T1 post gad/T1|T1GD / T1|T1+C / T1|T1 POST A-B FS|T1_tra_A-B_Dot
T1W relative enhancement gd|T1 gd DSA|T1 gd z-score
HASTE gd|SSFSE post gad
T1 Gado soustr|T1 Gd ratio|T1 减影 增强|差分 T1 造影|субтракция Т1 контраст
颈椎 T1 增强|肝脏 T1 增强|灌注 T1 增强|腰椎T1造影|脊髄 T1 造影|뇌하수체 T1 조영
МРТ позвоночника Т1 с контрастом|шейный отдел Т1 контраст
MR kręgosłup T1 po kontraście|páteř T1 po KL|oczodoły T1 kontrast
ryggrad T1 kontrast|omurga T1 kontrastlı|servikal T1 kontrastlı
T1 dixon fat gd|T1 VIBE DIXON F gd|T1 gd VRT|T1 Gd thumbnail|key images T1 gd
QA phantom T1 gd|T1 gd fetal|T1 gd mouse brain|fusion T1 gd PET|PET T1 gd fusion
t1_vibe_dixon_tra_F gd|T1 TSE fat only gd|T1 FSE fat image gd|rat brain T1 gd|Rattenhirn T1 KM|T1 - T1 CE|post T1 - T1
"""
TABLE = [
    (name, sequence)
    for sequence, names in (
        (MRSequence.T1GD, T1GD), (MRSequence.T1, T1), (MRSequence.T2, T2), (MRSequence.FLAIR, FLAIR), (None, NONE),
    )
    for name in names.replace("\n", "|").split("|")
    if name
]  # fmt: skip


@pytest.mark.parametrize(("name", "sequence"), TABLE)
def test_a_name_tells_its_sequence(name, sequence):
    assert sequence_of(name) is sequence


@pytest.mark.parametrize(("name", "sequence"), TABLE)
def test_the_joints_of_a_name_do_not_matter(name, sequence):
    """Underscores for spaces, and another order of upper and lower case, name the same scan."""
    for other in (name.replace(" ", "_"), f"  {name}.nii.gz", f"0007_{name}" if sequence else name):
        assert sequence_of(other) is sequence


@given(
    t1=st.sampled_from(["T1", "t1w", "MPRAGE", "3D T1 TFE", "SPGR", "T1 SE"]),
    word=st.sampled_from(["Gd", "+C", "post gad", "KM", "nach KM", "con mdc", "gado", "dotarem", "contrast", "CE"]),
    denial=st.sampled_from(["", "vor KM", "w/o contrast", "sans injection", "sin contraste", "senza mdc", "pre"]),
    joint=st.sampled_from([" ", "_", "-"]),
    around=st.sampled_from(["ax", "SAG", "3mm", "fs", "series 5", "0012"]),
)
def test_contrast_is_what_is_said_and_not_denied(t1, word, denial, joint, around):
    """The agent makes a T1Gd, a denial a T1, and both together neither."""
    assert sequence_of(joint.join((around, t1, word))) is MRSequence.T1GD
    if denial:
        assert sequence_of(joint.join((around, t1, denial))) is MRSequence.T1
        assert sequence_of(joint.join((t1, word, around, denial))) is None


@given(st.text(max_size=40))
def test_any_text_is_judged(name):
    judged = judge_series(name)
    assert str(judged.message)
    assert (judged.sequence is None) == (judged.reason not in (Reason.NAME, Reason.AGENT_IN_HEADER, Reason.TIMING))


HEADERS = [
    ("SAG MPRAGE", {"contrast_agent": "Gadovist"}, "t1gd"),
    ("SAG MPRAGE", {"contrast_agent": "NONE"}, "t1"),
    ("SAG MPRAGE", {"contrast_agent": "N"}, "t1"),
    ("SAG MPRAGE", {"contrast_agent": "nein"}, "t1"),
    ("SAG MPRAGE", {"contrast_agent": "nativ"}, "t1"),
    ("SAG MPRAGE", {"contrast_agent": "无造影剂"}, "t1"),
    ("SAG MPRAGE", {"contrast_agent": "0.0 ml"}, "t1"),
    ("SAG MPRAGE", {"contrast_agent": "0.1 mmol/kg Gadovist"}, "t1gd"),
    ("SAG MPRAGE", {"contrast_agent": "0,5 M Dotarem"}, "t1gd"),
    ("SAG MPRAGE", {"contrast_agent": "Non-ionic gadolinium chelate"}, "t1gd"),
    ("SAG MPRAGE", {"contrast_agent": "ohne KM"}, "t1"),
    ("SAG MPRAGE", {"contrast_agent": "Gadovist", "contrast_volume": 0.0}, "t1"),
    ("SAG MPRAGE", {}, "t1"),
    ("T2 TSE", {"contrast_agent": "Gadovist"}, "t2"),
    ("5: AX", {"description": "t1_se_tra", "contrast_agent": "Dotarem"}, "t1gd"),
    ("5: AX", {"description": "t1_se_tra post gad"}, "t1gd"),
    ("5: AX", {"protocol": "T2 TSE"}, "t2"),
    ("7", {"repetition_ms": 2300, "echo_ms": 3, "inversion_ms": 900}, "t1"),
    ("7", {"repetition_ms": 2300, "echo_ms": 3, "inversion_ms": 900, "contrast_agent": "Gadovist"}, "t1gd"),
    ("7", {"repetition_ms": 550, "echo_ms": 12}, "t1"),
    ("7", {"repetition_ms": 4800, "echo_ms": 95}, "t2"),
    ("7", {"repetition_ms": 9000, "echo_ms": 110, "inversion_ms": 2500}, "flair"),
    ("7", {"repetition_ms": 700, "echo_ms": 22, "scanning_sequence": "GR", "contrast_agent": "Gadovist"}, None),
    ("T1 post Gd", {"modality": "CT"}, None),
    ("T1 Gd", {"image_type": "DERIVED\\SECONDARY\\SUBTRACTION"}, None),
    ("T1 Gd", {"image_type": "DERIVED\\SECONDARY\\SUBTRACTION IMAGE"}, None),
    ("T1 Gd", {"image_type": "DERIVED\\PRIMARY\\M\\SUB\\ND"}, None),
    ("T1 Gd", {"derivation": "Image subtraction of series 5 and 3"}, None),
    ("T1 Gd", {"derivation": "MPR of series 5"}, "t1gd"),
    ("AX POST GAD", {"image_type": "ORIGINAL\\PRIMARY\\DIFFUSION\\NONE"}, None),
    ("AX POST GAD", {"b_value": 1000.0}, None),
    ("AX POST GAD", {"scanning_sequence": "EP"}, None),
    ("AX POST GAD", {"description": "AX DWI POST GAD"}, None),
    ("AX POST GAD", {"description": "AX FLAIR POST GAD"}, "flair"),
    ("post KM", {"protocol": "t2_tse_tra"}, "t2"),
    ("post KM", {"description": "t1_mprage"}, "t1gd"),
    ("T1 post Gd", {"body_part": "CSPINE"}, None),
    ("T1 brain post Gd", {"body_part": "CSPINE"}, "t1gd"),
    ("T1 post Gd", {"body_part": "HEAD"}, "t1gd"),
    ("T1 post Gd", {"echo_ms": 101, "repetition_ms": 5000}, None),
    ("T1 pre contrast", {"contrast_agent": "Gadovist"}, "t1"),
    ("MRI brain w/wo contrast T1", {"contrast_agent": "Gadovist"}, "t1gd"),
    ("MRI brain w/wo contrast T1", {}, None),
]


@pytest.mark.parametrize(("name", "header", "sequence"), HEADERS)
def test_a_dicom_header_tells_its_sequence(name, header, sequence):
    assert sequence_of(name, SeriesHeader(**header)) == sequence


def test_the_answer_carries_its_reason():
    assert str(judge_series("T1 vor KM").message) == "its name says 't1 vor km'"
    assert "'dwi'" in str(judge_series("AX DWI POST GAD").message)
    assert judge_series("7", SeriesHeader(echo_ms=12, repetition_ms=550)).told == "TR 550, TE 12 ms"
    agent = SeriesHeader(echo_ms=12, repetition_ms=550, contrast_agent="Dotarem")
    assert judge_series("7", agent).told == "Dotarem"


@pytest.mark.parametrize(
    ("names", "chosen", "why"),
    [
        (["T1 post MPR cor", "T1 MPRAGE post"], 1, Preference.ORIGINAL),
        (["T1 FS post gad", "T1 post gad"], 1, Preference.NO_FAT_SATURATION),
        (["TCGA-FG-5964_T1_gd", "TCGA-FG-5964_T1_fs_gd"], 0, Preference.NO_FAT_SATURATION),
        (["AX T1 post", "SAG T1 MPRAGE post"], 1, Preference.THREE_D),
        (["T1 post gad tumor", "T1 post"], 1, Preference.NO_MASK),
        (["T1 post", "T1 post gad"], 0, Preference.FIRST),
        (["DWI post gad", "T1 post"], 1, Preference.FIRST),
    ],
)
def test_of_several_the_choice_has_a_reason(names, chosen, why):
    choice = choose_series([Series(name=name) for name in names])[MRSequence.T1GD]
    assert (choice.place, choice.preference) == (chosen, why)
    assert bool(choice.others) is (names[0] != "DWI post gad")


def test_thinner_slices_are_preferred():
    series = [Series(name="T1 post", slice_mm=5.0), Series(name="T1 post gad", slice_mm=1.0)]
    choice = choose_series(series)[MRSequence.T1GD]
    assert (choice.place, choice.preference) == (1, Preference.THINNER)
    assert choice_remarks(series, {MRSequence.T1GD: choice}, [Path("a.nii"), Path("b.nii")]) == (
        "2 series could be T1Gd: 'T1 post gad' was chosen, because its slices are thinner; not used: 'T1 post'.",
    )


def test_without_a_t1gd_every_series_is_accounted_for():
    series = [Series(name=name) for name in ("AX DWI POST GAD", "T1 vor KM")]
    (remark,) = choice_remarks(series, choose_series(series), [Path("a.nii"), Path("b.nii")])
    assert "No series is T1Gd" in remark
    assert all(one.name in remark for one in series)


def test_a_header_is_read_from_the_first_dicom_file(tmp_path):
    pydicom = pytest.importorskip("pydicom")
    (tmp_path / "0_notes.txt").write_text("no DICOM")
    one = pydicom.Dataset()
    one.file_meta = pydicom.dataset.FileMetaDataset()
    one.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    one.file_meta.MediaStorageSOPClassUID = pydicom.uid.MRImageStorage
    one.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    one.Modality, one.SeriesDescription, one.ContrastBolusAgent = "MR", "AX T1", "Gadovist"
    one.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    one.DiffusionBValue, one.RepetitionTime, one.EchoTime, one.SliceThickness, one.PatientName = (
        0.0,
        550,
        12,
        5,
        "Invented",
    )
    one.save_as(tmp_path / "1.dcm", enforce_file_format=True)
    header = read_series_header(tmp_path)
    assert header == SeriesHeader(
        modality="MR", description="AX T1", contrast_agent="Gadovist", image_type="ORIGINAL\\PRIMARY\\M",
        repetition_ms=550.0, echo_ms=12.0, slice_mm=5.0, b_value=0.0,
    )  # fmt: skip
    assert sequence_of("series 7", header) is MRSequence.T1GD
    assert sequence_of("series 7", replace(header, contrast_agent="")) is MRSequence.T1


@pytest.mark.parametrize(
    ("character_set", "description", "sequence"),
    [
        ("ISO_IR 192", "T1增强", MRSequence.T1GD),
        ("GB18030", "T1 增强", MRSequence.T1GD),
        (["", "ISO 2022 IR 87"], "造影T1", MRSequence.T1GD),
        (["", "ISO 2022 IR 149"], "T1 조영증강", MRSequence.T1GD),
        ("ISO_IR 144", "T1 с контрастом", MRSequence.T1GD),
        ("ISO_IR 126", "T1 χωρίς gado", MRSequence.T1),
        ("ISO_IR 148", "T1 kontrastsız", MRSequence.T1),
        ("ISO_IR 100", "T1 après injection", MRSequence.T1GD),
    ],
)
def test_a_description_is_read_in_the_character_set_of_its_file(character_set, description, sequence, tmp_path):
    pydicom = pytest.importorskip("pydicom")
    one = pydicom.Dataset()
    one.file_meta = pydicom.dataset.FileMetaDataset()
    one.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    one.file_meta.MediaStorageSOPClassUID = pydicom.uid.MRImageStorage
    one.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    one.SpecificCharacterSet, one.Modality, one.SeriesDescription = character_set, "MR", description
    one.save_as(tmp_path / "1.dcm", enforce_file_format=True)
    header = read_series_header(tmp_path)
    assert header.description == description
    assert sequence_of("series 7", header) is sequence


@pytest.mark.parametrize(
    ("meaning", "administered", "read"),
    [
        ("Gadolinium agent", None, "Gadolinium agent"),
        ("Gadolinium agent", "YES", "Gadolinium agent"),
        ("Gadolinium agent", "NO", ""),
        (None, None, ""),
    ],
    ids=["named", "given", "not given yet", "an empty item"],
)
def test_the_agent_of_an_enhanced_object_is_read(meaning, administered, read, tmp_path):
    def with_agent(data, k):
        agent = pydicom.Dataset()
        if meaning is not None:
            agent.CodeMeaning = meaning
        data.ContrastBolusAgentSequence = [agent]
        if administered is not None:
            usage = pydicom.Dataset()
            usage.ContrastBolusAgentAdministered = administered
            data.SharedFunctionalGroupsSequence[0].ContrastBolusUsageSequence = [usage]

    pydicom = pytest.importorskip("pydicom")
    write_enhanced(truth(), tmp_path / "1", range(12), with_agent)
    assert read_series_header(tmp_path).agent == read


def test_a_mask_on_t1_is_none_on_t1gd():
    paths = [Path(f"{name}.nii.gz") for name in ("T1_lesion", "T1_CE_lesion", "T1_CE_brain_mask", "T2_brain_mask")]
    brain, lesion = masks_in(paths)
    assert (brain.name, lesion.name) == ("T1_CE_brain_mask.nii.gz", "T1_CE_lesion.nii.gz")

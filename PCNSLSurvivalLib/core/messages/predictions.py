"""Messages about a prediction, its maps, its files and its exports."""

from __future__ import annotations

from PCNSLSurvivalLib.core.marked import marked as _

TEMPLATES = {
    "explanation.all_passed": _("{passed} of {made} explanation checks passed."),
    "explanation.some_failed": _("{passed} of {made} explanation checks passed. Do not rely on this map."),
    "export.no_browser": _(
        "No Chromium, Chrome or Edge was found on this computer to make the PDF. Open the report in any browser and "
        "print it to a PDF there."
    ),
    "export.packages_missing": _(
        "The export of {output} cannot run. These packages are missing: {listed}. Install them in a checkout of this "
        'repository: pip install -c constraints.txt -e ".[export]"; in Slicer\'s Python console: '
        "slicer.util.pip_install('{packages}')."
    ),
    "export.pdf_not_written": _(
        "The PDF could not be written. Choose another folder, or open the report in a browser and print it."
    ),
    "export.t1gd_needed": _("Give the T1Gd of this result with --t1gd: the images are drawn over it."),
    "filled.no_lesion": _(
        "There is no lesion to fill. Give its outline with --lesion-mask, or let the network propose one with "
        "--segment."
    ),
    "filled.with_control": _(
        "Probability of OS > 1 year: {probability:.2f}. With the lesion filled from its surroundings: {filled:.2f} "
        "({ml:.1f} mL with its rim). With a region of equal size beside it filled instead: {control:.2f}. This tests "
        "the model and is not a prognosis."
    ),
    "filled.without_control": _(
        "Probability of OS > 1 year: {probability:.2f}. With the lesion filled from its surroundings: {filled:.2f} "
        "({ml:.1f} mL with its rim). No control region of equal size fits beside it. This tests the model and is not a "
        "prognosis."
    ),
    "followup.between": _("The change of the products lies between the limits of the IPCG, −50 % and +25 %."),
    "followup.check_alignment": _(
        "The registration of the two exams is uncertain. Look at the later scan over the earlier one before you use "
        "the new sites."
    ),
    "followup.diameters": _(
        "Sum of the products of the two diameters: {earlier:.0f} mm², then {later:.0f} mm² ({change:+.0%})."
    ),
    "followup.halved": _("The sum of the products decreased by at least 50 %, a limit of the IPCG."),
    "followup.identity": _("It was not checked whether both exams show the same person."),
    "followup.increased": _("The sum of the products increased by at least 25 %, a limit of the IPCG."),
    "followup.new_sites": _("Foci of the later exam more than {mm:.0f} mm from every earlier outline: {count}."),
    "followup.no_response": _(
        "This is the change of the outlined enhancement. It is not an assessment of response, which also considers the "
        "steroid dose, the ophthalmologic findings and the CSF."
    ),
    "followup.none_before": _("Enhancing volume: none outlined, then {later:.1f} mL."),
    "followup.none_left": _("No focus of at least 0.1 mL is outlined in the later exam."),
    "followup.not_one_head": _(
        "The two exams could not be registered to each other. Check that both are T1Gd of one patient, or continue "
        "with --override-quality."
    ),
    "followup.other_brain": _(
        "After the registration the two brains overlap with a Dice coefficient of {overlap:.2f}, below {least:.2f}. "
        "Check that both exams show the same person and that both brain outlines are right."
    ),
    "followup.proposed": _(
        "At least one outline is a proposal and not confirmed. Check and correct both before you use the change."
    ),
    "followup.reader": _("Response as entered by the reader: {response}."),
    "followup.same_scan": _("Both exams are the same scan. Give the T1Gd of two dates."),
    "followup.two_patients": _(
        "The DICOM headers of the earlier and the later T1Gd name two patients. Choose two exams of one patient. If "
        "one patient has two IDs, load one of the exams from a NIfTI file."
    ),
    "followup.volume": _("Enhancing volume: {earlier:.1f} mL, then {later:.1f} mL ({change:+.0%})."),
    "lesion.none_proposed": _(
        "No enhancing tumor is outlined. This is not evidence that there is none: the network misses whole tumors. "
        "Check every slice."
    ),
    "lesion.proposal": _(
        "Proposed outline of enhancing tumor: {volume:.1f} mL, foci: {foci}. If the error is no larger than in 9 of 10 "
        "virtual heads, the true volume is {low:.1f} to {high:.1f} mL. On real scans the error may be larger. Check "
        "the proposal on every slice and correct it."
    ),
    "lesion.proposal_used": _(
        "The attribution and the checks of the explanation use the proposed outline. Correct it and predict again to "
        "use the corrected one."
    ),
    "lesion.reader_is_virtual": _(
        "Outlines are proposed by a network that was trained on virtual heads only. It misses tumors and outlines "
        "tissue that is not tumor; its card states how often on real scans."
    ),
    "map.empty": _("The map for {os_class} is empty: no region contributes to it."),
    "map.shows": _("The map shows which regions support {os_class}. It is not a lesion segmentation."),
    "prediction.evidence_outside": _(
        "{share:.0%} of the absolute evidence lies outside the brain, so the probability does not rest on the "
        "patient's brain alone. Interpret it with caution."
    ),
    "prediction.evidence_sum": _(
        "The evidence of the cells does not add up to the log-odds, so neither is shown. Try --device cpu; if it "
        "happens again, reinstall the model."
    ),
    "prediction.no_mirror": _("The network grid of this model cannot be mirrored. Leave --tta out."),
    "prediction.not_numbers": _("The prepared case holds values that are not numbers. Check the scans."),
    "prediction.other_shape": _(
        "The prepared case has shape {shape}, the model reads {wanted} (sequences and voxels). Prepare the scans "
        "with the recipe of this model."
    ),
    "result.incomplete": _(
        "This is not a complete result folder of this software. Give the folder that 'pcnsl-survival predict' made, "
        "or predict again."
    ),
    "robustness.flips": _(
        "Probability of OS > 1 year: {probability:.2f}; {low:.2f} to {high:.2f} in {copies} disturbed copies of the "
        "scan. The class changes with {flips}. This tests the model. It is not a confidence interval."
    ),
    "robustness.noise": _("noise of {strength:.0%} of the brain's median"),
    "robustness.other_outline": _("the brain outline of another program"),
    "robustness.outline": _("a brain outline moved by {strength:.0f} mm"),
    "robustness.rotation": _("the head turned by {strength:.0f}°"),
    "robustness.shading": _("shading of {strength:.0%} across the brain"),
    "robustness.stays": _(
        "Probability of OS > 1 year: {probability:.2f}; {low:.2f} to {high:.2f} in {copies} disturbed copies of the "
        "scan. The class stays {os_class} in all of them. This tests the model. It is not a confidence interval."
    ),
    "runtime.device_disagrees": _(
        "The {device} device did not reproduce the stored answer and was not used. Update its driver or PyTorch; "
        "'pcnsl-survival doctor' shows the difference."
    ),
    "runtime.gpu_needs_torch": _("A GPU needs torch, which is not installed. Install it, or choose --device cpu."),
    "runtime.memory_short": _("The memory of the {device} device was not enough; the case was computed on the CPU."),
    "runtime.no_bf16": _("The {device} device of this computer has no bf16 arithmetic. Choose --precision float32."),
    "runtime.no_device": _(
        "This computer has no {device} device that torch can use. Choose --device auto or --device cpu."
    ),
    "runtime.no_torch": _("torch is not installed. Install it, or choose --runtime onnx."),
    "runtime.none_installed": _(
        "Neither torch nor ONNX Runtime is installed. Install one of them: pip install onnxruntime onnx."
    ),
    "runtime.onnx_is_float32_on_cpu": _(
        "ONNX Runtime computes in float32 on the CPU here. Choose --device cpu and --precision float32, or "
        "--runtime torch."
    ),
    "runtime.onnx_layer4_only": _("ONNX Runtime gives the map of layer4. Choose --block layer4, or --runtime torch."),
    "verify.other_model": _(
        "The result was made with the model {wanted}; {given} was given, or files of it changed. Give the model of the "
        "result with --model."
    ),
    "verify.other_sequences": _("Give exactly the scans of the result: {sequences}."),
    "verify.prepared_before": _(
        "Other programs prepared the scans of this result ({engines}), and what they made was not kept. It cannot be "
        "computed again from the scans as loaded."
    ),
}

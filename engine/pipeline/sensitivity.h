// How much the model suffers when one site of it is quantized: the job of `bdq sensitivity`.
#pragma once

#include "engine/api/job_context.h"
#include "engine/api/sensitivity.h"

namespace bdq {

/// Quantizes every analysed site alone, at every bit width and under every transform that `spec` names, runs
/// the rest of the model in full precision, and writes sensitivity.json into the analysis folder. The layers
/// before a site are computed once, all variants go through a later layer together, and one layer's weights
/// are resident at a time. Errors: the readers'; InvalidSpec (a layer or transform that the analysis lacks,
/// a model that is not the analysis'), MissingCalibration, NonFinite naming the site, Cancelled.
/// `stateBytes`: how much the variants' hidden states may take together, at least those of one layer; 0 = as
/// the device has memory (residentHiddenBytes). The result does not depend on it.
Result<SensitivityResult> measureSensitivity(const SensitivitySpec& spec, JobContext& context,
                                             double stateBytes = 0);

} // namespace bdq

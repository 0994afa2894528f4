// What a model loses when a single site is quantized, as part of an analysis' report.
#pragma once

#include <string>

#include "engine/api/sensitivity.h"
#include "engine/report/document.h"

namespace bdq::report {

/// Divergence over the layers for every bit width, and a table of every site.
Section sensitivitySection(const SensitivityResult& sensitivity);

/// "KL, W4A16": heading of the divergence at a bit width.
std::string divergenceTitle(const SensitivityResult& sensitivity, const OperandScheme& weight);

} // namespace bdq::report

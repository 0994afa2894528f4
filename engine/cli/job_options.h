// Options that several computing commands share.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/api/job_spec.h"
#include "engine/cli/arguments.h"

namespace bdq::cli {

/// Path of an input from the root on, for results that are opened from other folders than they were made in.
/// Empty and "self" stay.
void makeAbsolute(std::string& path);

/// --device, --threads
void declareDevice(Arguments& arguments, DeviceOptions& device);
/// An option that is "on" or "off".
void declareSwitch(Arguments& arguments, const OptionText& text, std::function<void(bool)> take);
/// --seed. `what` says what is random.
void declareSeed(Arguments& arguments, std::uint64_t& seed, const std::string& what);
/// --calibration, --sequences = --samples, --seq-len, --bos. `sequences` says how many there are by default.
void declareCalibration(Arguments& arguments, CalibrationOptions& calibration, const std::string& sequences);
/// --bos: what stands in front of the texts of a command.
void declareBos(Arguments& arguments, BosMode& bos);
/// The same where leaving it out has a meaning of its own; `otherwise` says which.
void declareBos(Arguments& arguments, std::optional<BosMode>& bos, const std::string& otherwise);
/// --epochs, --e2e-steps, --loss, --rate, --batch
void declareTraining(Arguments& arguments, TrainingOverrides& training);
/// "A4", "A16". Errors: InvalidSpec naming --activation.
Result<OperandScheme> readActivation(const std::string& text);
/// "KV4", "KV16". Errors: InvalidSpec naming --kv.
Result<OperandScheme> readCache(const std::string& text);
/// `name` begins the message. Errors: InvalidSpec.
Result<TransformKind> readTransformName(const std::string& id, const std::string& name);
/// --layers
void declareLayers(Arguments& arguments, std::vector<int>& layers, const std::string& help);

} // namespace bdq::cli

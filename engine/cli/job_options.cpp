#include "engine/cli/job_options.h"

#include "engine/api/spec_limits.h"

namespace bdq::cli {
void declareDevice(Arguments& arguments, DeviceOptions& device) {
    arguments.option(
        {"--device", "D", "auto (a CUDA GPU when there is one), cpu, cuda or cuda:N (default auto)"},
        device.device);
    arguments.number({"--threads", "N", "CPU threads; 0 = all cores we may use (default 0)"}, device.threads,
                     0, kMaxThreads);
}

void declareSeed(Arguments& arguments, std::uint64_t& seed, const std::string& what) {
    arguments.number({"--seed", "N", what + " (default 0)"}, seed);
}

void declareCalibration(Arguments& arguments, CalibrationOptions& calibration) {
    arguments.option({"--calibration", "FILE|self",
                      "text to calibrate on; self = text that the model generates itself (default self)"},
                     calibration.source);
    arguments.number({"--sequences,--samples", "N",
                      "calibration sequences (default " + std::to_string(calibration.sequences) + ")"},
                     calibration.sequences, 1, kMaxSequences);
    arguments.number(
        {"--seq-len", "N",
         "tokens a calibration sequence (default " + std::to_string(calibration.sequenceLength) + ")"},
        calibration.sequenceLength, kMinSequenceLength, kMaxSequenceLength);
}

void declareLayers(Arguments& arguments, std::vector<int>& layers, const std::string& help) {
    arguments.option({"--layers", "LIST", help}, [&layers](const std::string& text) -> Status {
        BDQ_TRY(layers, parseLayers(text));
        return {};
    });
}

} // namespace bdq::cli

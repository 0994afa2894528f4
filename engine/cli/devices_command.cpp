// bdq devices: where jobs can run.
#include <nlohmann/json.hpp>

#include "engine/cli/command.h"
#include "engine/cli/text.h"

namespace bdq::cli {
namespace {

class DevicesCommand : public Command {
public:
    DevicesCommand() : Command("devices", "list the processors that jobs can run on") {}

    [[nodiscard]] bool needsEngine() const override { return true; }
    void declare(Arguments& arguments) override { declareJson(arguments); }

    Result<int> execute(Console& console, EngineServices* engine) override {
        const std::vector<DeviceInfo> devices = engine->devices();
        BDQ_CHECK(
            console.print(json() ? asJson(devices, engine->torch()) : asText(devices, engine->torch())));
        return 0;
    }

private:
    static std::string asText(const std::vector<DeviceInfo>& devices, const std::string& torch) {
        TextTable table({"device", "name", "memory"});
        for (const DeviceInfo& device : devices)
            table.add({device.id, device.name, formatBytes(device.memoryBytes)});
        return table.render("") + "libtorch " + torch + "; kernels: ATen operations\n";
    }

    static std::string asJson(const std::vector<DeviceInfo>& devices, const std::string& torch) {
        nlohmann::ordered_json object;
        object["schema"] = kResultSchema;
        object["torch"] = torch;
        object["kernels"] = "aten";
        object["devices"] = nlohmann::ordered_json::array();
        for (const DeviceInfo& device : devices)
            object["devices"].push_back(
                {{"id", device.id}, {"name", device.name}, {"memory_bytes", device.memoryBytes}});
        return object.dump(2) + "\n";
    }
};

} // namespace

std::unique_ptr<Command> makeDevicesCommand() {
    return std::make_unique<DevicesCommand>();
}

} // namespace bdq::cli

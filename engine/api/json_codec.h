// Private to the codecs of bdq::api: parts of documents that several codecs share.
#pragma once

#include "engine/api/job_spec.h"
#include "engine/api/json_reader.h"
#include "engine/api/results.h"

namespace bdq::json {

Json specToJson(const JobSpec& spec);
/// The object must hold "job".
JobSpec readSpec(Reader reader);

void putPlan(Json& out, const Plan& plan);
Plan readPlan(Reader& in);

Json keyToJson(SiteKey key);
SiteKey readKey(Reader& reader);
TransformKind readTransform(Reader& reader, std::string_view key);

Json siteToJson(const SiteAnalysis& site);
SiteAnalysis readSite(Reader reader);

Json textToJson(const TextInfo& text);
TextInfo readText(Reader reader);
/// "model_fingerprint" and "warnings" of a result.
void putOrigin(Json& out, const std::string& fingerprint, const std::vector<std::string>& warnings);
std::vector<std::string> readWarnings(Reader& in);
Json provenanceToJson(const Provenance& value);
Provenance readProvenance(Reader reader);

/// Schemes travel as text.
Scheme readScheme(Reader& reader, std::string_view key);
/// `text` as weightText and activationText write it; anything else is refused in the name of `key`.
OperandScheme weightFromText(Reader& reader, std::string_view key, const std::string& text);
OperandScheme activationFromText(Reader& reader, std::string_view key, const std::string& text);

} // namespace bdq::json

#include "widgets/format.h"

#include <algorithm>
#include <cmath>

#include <QCoreApplication>
#include <QLocale>

#include "engine/api/method.h"

namespace bdq {

namespace {

const QString kUnknown = QStringLiteral("–");

QString notFinite(double value) {
    if (std::isnan(value)) return kUnknown;
    return value > 0 ? QStringLiteral("∞") : QStringLiteral("−∞");
}

/// Decimals that leave three significant digits, also where rounding carries (9.996 is 10.0).
int decimalsFor(double value) {
    const double rounded = QString::number(value, 'e', 2).toDouble();
    if (rounded == 0) return 0;
    return std::max(0, 2 - static_cast<int>(std::floor(std::log10(std::abs(rounded)))));
}

} // namespace

QString toQString(std::string_view text) {
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

QString formatNumber(double value) {
    if (!std::isfinite(value)) return notFinite(value);
    const double size = std::abs(value);
    if (size != 0 && (size < 1e-3 || size >= 1e7)) return QLocale().toString(value, 'e', 2);
    return QLocale().toString(value, 'f', decimalsFor(value));
}

QString formatExact(double value) {
    return std::isfinite(value) ? QLocale().toString(value, 'g', 9) : notFinite(value);
}

QString formatDb(double decibel) {
    return std::isfinite(decibel) ? QLocale().toString(decibel, 'f', 1) : notFinite(decibel);
}

QString formatShare(double share) {
    return std::isfinite(share)
               ? QCoreApplication::translate("bdq::format", "%1 %").arg(formatNumber(share * 100))
               : notFinite(share);
}

QString formatCount(std::int64_t count) {
    return QLocale().toString(static_cast<qlonglong>(count));
}

QString formatBytes(std::uint64_t bytes) {
    const double size = static_cast<double>(bytes);
    if (size < 1e3) return QCoreApplication::translate("bdq::format", "%1 bytes").arg(formatNumber(size));
    if (size < 1e6) return QCoreApplication::translate("bdq::format", "%1 kB").arg(formatNumber(size / 1e3));
    if (size < 1e9) return QCoreApplication::translate("bdq::format", "%1 MB").arg(formatNumber(size / 1e6));
    return QCoreApplication::translate("bdq::format", "%1 GB").arg(formatNumber(size / 1e9));
}

QString formatDuration(double seconds) {
    if (!std::isfinite(seconds) || seconds < 0) return kUnknown;
    const auto total = static_cast<std::int64_t>(std::lround(seconds));
    if (total < 60) return QCoreApplication::translate("bdq::format", "%1 s").arg(total);
    const QChar zero(u'0');
    if (total < 3600)
        return QStringLiteral("%1:%2").arg(total / 60, 2, 10, zero).arg(total % 60, 2, 10, zero);
    return QStringLiteral("%1:%2:%3")
        .arg(total / 3600)
        .arg(total / 60 % 60, 2, 10, zero)
        .arg(total % 60, 2, 10, zero);
}

QString formatParameters(std::int64_t parameters) {
    const double count = static_cast<double>(parameters);
    if (count >= 1e9)
        return QCoreApplication::translate("bdq::format", "%1 B").arg(formatNumber(count / 1e9));
    if (count >= 1e6)
        return QCoreApplication::translate("bdq::format", "%1 M").arg(formatNumber(count / 1e6));
    return formatCount(parameters);
}

QString siteTitle(Site site) {
    switch (site) {
    case Site::GateUp:
        return QCoreApplication::translate("bdq::format", "gate, up");
    case Site::KCache:
        return QCoreApplication::translate("bdq::format", "K cache");
    case Site::VCache:
        return QCoreApplication::translate("bdq::format", "V cache");
    case Site::Qkv:
    case Site::O:
    case Site::Down:
        break;
    }
    return toQString(siteName(site));
}

QString siteText(SiteKey key) {
    return QCoreApplication::translate("bdq::format", "layer %1 · %2")
        .arg(key.layer)
        .arg(siteTitle(key.site));
}

QString siteFilterText(SiteKey key) {
    return QStringLiteral("%1.%2").arg(key.layer).arg(toQString(siteName(key.site)));
}

QString bitsText(const Scheme& scheme, bool withKv) {
    const QString text = QStringLiteral("%1/%2").arg(scheme.weight.bits).arg(scheme.activation.bits);
    return withKv ? text + QStringLiteral("/%1").arg(scheme.kv.bits) : text;
}

QString perplexityText(std::optional<double> full, std::optional<double> quantized,
                       const PerplexitySize& size) {
    if (!full && !quantized) return {};
    QString text = full ? formatNumber(*full) : QStringLiteral("–");
    if (quantized) text += QStringLiteral(" → ") + formatNumber(*quantized);
    QStringList parts;
    if (size.tokens > 0)
        parts << QCoreApplication::translate("bdq::format", "%1 tokens").arg(formatCount(size.tokens));
    if (quantized && size.quantizedLayers < size.layers)
        parts << QCoreApplication::translate("bdq::format", "%1 of %2 layers")
                     .arg(size.quantizedLayers)
                     .arg(size.layers);
    return parts.isEmpty() ? text : text + QStringLiteral(" (%1)").arg(parts.join(QStringLiteral(", ")));
}

QString plainToolTip(const QString& text) {
    if (text.isEmpty()) return {};
    return QStringLiteral("<p>%1</p>").arg(text.toHtmlEscaped().replace(u'\n', QStringLiteral("<br>")));
}

QString metricToolTip(std::string_view id) {
    const MetricInfo* info = metricInfo(id);
    if (!info) return {};
    QString head = toQString(info->title).toHtmlEscaped();
    if (!info->unit.empty())
        head = QCoreApplication::translate("bdq::format", "%1 (%2)")
                   .arg(head, toQString(info->unit).toHtmlEscaped());
    const QString direction = info->lowerIsBetter
                                  ? QCoreApplication::translate("bdq::format", "Lower is better.")
                                  : QCoreApplication::translate("bdq::format", "Higher is better.");
    return QStringLiteral("<p><b>%1</b></p><p>%2</p><p>%3</p>")
        .arg(head, toQString(info->definition).toHtmlEscaped(), direction);
}

QString explanationToolTip(std::string_view title, std::string_view explanation, std::string_view citation) {
    QString text = QStringLiteral("<p><b>%1</b></p><p>%2</p>")
                       .arg(toQString(title).toHtmlEscaped(), toQString(explanation).toHtmlEscaped());
    if (!citation.empty())
        text += QStringLiteral("<p><i>%1</i></p>").arg(toQString(citation).toHtmlEscaped());
    return text;
}

} // namespace bdq

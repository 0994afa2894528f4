#include "widgets/site_ranking.h"

#include <QCoreApplication>

#include "widgets/format.h"

namespace bdq {

namespace {

QString text(const char* source) {
    return QCoreApplication::translate("bdq::SiteRanking", source);
}

} // namespace

const SiteLoss* SiteRanking::find(SiteKey key) const {
    const auto found = losses.find(key);
    return found == losses.end() ? nullptr : &found->second;
}

QString lossSign(double share, std::size_t sites) {
    const double equalShares = share * static_cast<double>(sites);
    if (equalShares > kStronglyMarkedShares) return QStringLiteral("!!");
    return equalShares > kMarkedShares ? QStringLiteral("!") : QString();
}

QString rankingBasisText(RankingBasis basis) {
    switch (basis) {
    case RankingBasis::Measured:
        return text(QT_TRANSLATE_NOOP("bdq::SiteRanking", "measured"));
    case RankingBasis::Estimated:
        return text(QT_TRANSLATE_NOOP("bdq::SiteRanking", "estimated"));
    case RankingBasis::None:
        break;
    }
    return text(QT_TRANSLATE_NOOP("bdq::SiteRanking", "not ranked"));
}

QString rankingText(const SiteRanking& ranking) {
    if (!ranking.largest) return text(QT_TRANSLATE_NOOP("bdq::SiteRanking", "not ranked: measure losses"));
    const SiteKey key = *ranking.largest;
    return text(QT_TRANSLATE_NOOP("bdq::SiteRanking", "sum of losses %1 nats (%2), largest %3 %4 with %5"))
        .arg(formatNumber(ranking.sum), rankingBasisText(ranking.basis), QString::number(key.layer),
             siteTitle(key.site), formatShare(ranking.find(key)->share));
}

QString rankingToolTip(RankingBasis basis) {
    const QString marks =
        text(QT_TRANSLATE_NOOP("bdq::SiteRanking", "! more than %1 times, !! more than %2 times the share "
                                                   "that a site would have if all cost the same."))
            .arg(kMarkedShares)
            .arg(kStronglyMarkedShares);
    QString source;
    if (basis == RankingBasis::Measured)
        source = text(
            QT_TRANSLATE_NOOP("bdq::SiteRanking", "Measured: the model ran with each site alone quantized."));
    else if (basis == RankingBasis::Estimated)
        source = text(QT_TRANSLATE_NOOP("bdq::SiteRanking",
                                        "Estimated: from one backward pass of the analysis; measure the "
                                        "losses to be sure."));
    else
        source = text(QT_TRANSLATE_NOOP("bdq::SiteRanking",
                                        "Neither measured nor estimated for every row as the plan has it: "
                                        "the rows are in the order of the model. SQNR of a row by itself "
                                        "does not rank rows."));
    return QStringLiteral("<p>%1</p><p>%2</p>").arg(source.toHtmlEscaped(), marks.toHtmlEscaped()) +
           metricToolTip(basis == RankingBasis::Estimated ? "loss_estimated" : "kl_site");
}

} // namespace bdq

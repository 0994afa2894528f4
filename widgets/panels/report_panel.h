// Report of a run or an analysis: format, what it contains, preview, save.
#pragma once

#include <vector>

#include <QTimer>
#include <QWidget>

#include "engine/api/job_spec.h"

class QButtonGroup;
class QLabel;
class QListWidget;
class QPushButton;
class QSplitter;
class QTextBrowser;

namespace bdq {

/// html, htm, md, csv, json: what a report can be saved as.
[[nodiscard]] QStringList reportSuffixes();
/// The suffix proposed for a format.
[[nodiscard]] QString reportSuffix(ReportFormat format);
/// The format of a suffix of reportSuffixes(); HTML for another.
[[nodiscard]] ReportFormat reportFormatOf(const QString& suffix);

class ReportPanel : public QWidget {
    Q_OBJECT
public:
    explicit ReportPanel(QWidget* parent = nullptr);
    /// What the report is about, e.g. "#3 BDQ W4A4KV4"; empty = nothing to report. Runs and analyses have
    /// different sections.
    void setSource(const QString& title, bool ofRun = true);
    /// Preview in Markdown; empty shows what the preview needs.
    void setPreview(const QString& markdown);
    void setFormat(ReportFormat format);
    [[nodiscard]] ReportFormat format() const;
    /// Sections that are not ticked.
    [[nodiscard]] std::vector<ReportSection> leaveOut() const;
    void setBusy(bool busy);

signals:
    void saveRequested(bdq::ReportFormat format);
    void previewRequested();

private:
    void setupFormats();
    [[nodiscard]] QWidget* makeSections();
    void updateState();

    QLabel* m_source = nullptr;
    QButtonGroup* m_formats = nullptr;
    QLabel* m_explanation = nullptr;
    QListWidget* m_sections = nullptr;
    QSplitter* m_body = nullptr;
    QTextBrowser* m_preview = nullptr;
    QTimer m_previewDelay; ///< several ticks make one preview
    QPushButton* m_save = nullptr;
    QString m_title;
    bool m_busy = false;
};

} // namespace bdq

// Report of a run or an analysis: format, what it contains, preview, save.
#pragma once

#include <QWidget>

#include "engine/api/job_spec.h"

class QButtonGroup;
class QLabel;
class QPushButton;
class QTextBrowser;

namespace bdq {

class ReportPanel : public QWidget {
    Q_OBJECT
public:
    explicit ReportPanel(QWidget* parent = nullptr);
    /// What the report is about, e.g. "#3 BDQ W4A4KV4"; empty = nothing to report.
    void setSource(const QString& title);
    /// Preview in Markdown; empty shows what the preview needs.
    void setPreview(const QString& markdown);
    void setFormat(ReportFormat format);
    [[nodiscard]] ReportFormat format() const;
    void setBusy(bool busy);

signals:
    void saveRequested(bdq::ReportFormat format);
    void previewRequested();

private:
    void setupFormats();
    void updateState();

    QLabel* m_source = nullptr;
    QButtonGroup* m_formats = nullptr;
    QLabel* m_explanation = nullptr;
    QTextBrowser* m_preview = nullptr;
    QPushButton* m_save = nullptr;
    QString m_title;
    bool m_busy = false;
};

} // namespace bdq

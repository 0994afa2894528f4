// First page: three large targets, recent files, drop anywhere.
#pragma once

#include <vector>

#include <QStringList>
#include <QWidget>

class QLabel;
class QListWidget;
class QPushButton;

namespace bdq {

struct RecentItem {
    QString path;
    QString title;  ///< e.g. "SmolLM2-135M-Instruct"
    QString detail; ///< e.g. "perplexity 21.63 -> 26.4"; may be empty
};

class StartPage : public QWidget {
    Q_OBJECT
public:
    explicit StartPage(QWidget* parent = nullptr);
    void setRecent(const std::vector<RecentItem>& items);
    /// Text under "Demo", e.g. what it does or why it cannot start.
    void setDemo(bool available, const QString& explanation);

signals:
    void openModelRequested();
    void demoRequested();
    void openResultRequested();
    void recentActivated(const QString& path);
    void recentRemoveRequested(const QString& path);
    void pathsDropped(const QStringList& paths);

protected:
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;
    void dragLeaveEvent(QDragLeaveEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    QWidget* makeTargets();
    QWidget* makeRecent();
    void showRecentMenu(const QPoint& position);

    QPushButton* m_demo = nullptr;
    QListWidget* m_recent = nullptr;
    QLabel* m_recentEmpty = nullptr;
    bool m_dragOver = false;
};

} // namespace bdq

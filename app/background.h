// Work off the GUI thread: a pure function in the thread pool, its result handed back to the GUI thread.
#pragma once

#include <QFutureWatcher>
#include <QObject>
#include <QPromise>
#include <QThreadPool>

#include <memory>
#include <utility>

namespace bdq {

/// Runs work() in the global pool, then done(result) on the owner's thread. `work` must not touch the owner.
/// When the owner dies first, the result is dropped. Stale results are the caller's business: compare a
/// generation number in done.
template <class Work, class Done> void runInPool(QObject* owner, Work work, Done done) {
    using Value = decltype(work());
    auto promise = std::make_shared<QPromise<Value>>();
    auto* watcher = new QFutureWatcher<Value>(owner);
    QObject::connect(watcher, &QFutureWatcherBase::finished, owner,
                     [watcher, done = std::move(done)]() mutable {
                         watcher->deleteLater();
                         if (watcher->future().resultCount() > 0) done(watcher->future().takeResult());
                     });
    watcher->setFuture(promise->future());
    QThreadPool::globalInstance()->start([promise, work = std::move(work)]() mutable {
        promise->start();
        promise->addResult(work());
        promise->finish();
    });
}

} // namespace bdq

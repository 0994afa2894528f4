// Room for pages of which one is shown.
#pragma once

class QStackedWidget;

namespace bdq {

/// A stack is as large as its largest page; on a small screen only the shown one may ask for room. Keeps it
/// so from now on.
void claimRoomForShownPage(QStackedWidget* stack);

} // namespace bdq

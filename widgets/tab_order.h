// The order in which Tab goes through a page.
#pragma once

#include <vector>

class QWidget;

namespace bdq {

/// Fields of `page` that take the focus by Tab, in the order of the layouts: rows from the top, each from its
/// first field to its last, with all radio buttons of a group. Fields inside a field (the line of a spin box)
/// are not counted.
[[nodiscard]] std::vector<QWidget*> tabStops(QWidget* page);
/// Makes Tab follow tabStops(). Called when the page is complete. Boxes of fields that had a focus proxy
/// among them hand the focus on without one: where fields are made before the box that holds them, Qt's own
/// chain leads from the last one to the box and by its proxy back to the first.
void orderTabs(QWidget* page);

} // namespace bdq

#include "engine/api/version.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

TEST(Version, IsThreeNumbers) {
    const std::string text(bdq::version());
    EXPECT_EQ(std::count(text.begin(), text.end(), '.'), 2) << text;
    EXPECT_EQ(text.find_first_not_of("0123456789."), std::string::npos) << text;
}

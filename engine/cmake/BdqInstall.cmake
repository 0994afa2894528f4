# Installed layout: bin/bdq and bin/bdq-studio side by side, as in the build tree, so that the window finds its worker.
include(GNUInstallDirs)
install(TARGETS bdq RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(BDQ_GUI)
    install(TARGETS bdq-studio RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

from mmcore.ui.guard import enter

desk = enter("settings_page")

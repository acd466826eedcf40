from mmcore.ui.guard import enter

desk = enter("catalogue_page")

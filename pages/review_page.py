from mmcore.ui.guard import enter

desk = enter("review_page")

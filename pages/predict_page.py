from mmcore.ui.guard import enter

desk = enter("predict_page")

from mmcore.ui.guard import enter

desk = enter("models_page")

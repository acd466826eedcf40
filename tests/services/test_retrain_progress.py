"""The estimate of the time left, from nothing but events and the times they came at."""

from types import SimpleNamespace

from mmcore.services.retrain_progress import RetrainProgress


def step(epoch, number, phase=1):
    return SimpleNamespace(
        phase=phase,
        num_phases=2,
        phase_name="frozen",
        epoch=epoch,
        num_epochs=3,
        step=number,
        num_steps=4,
        loss=1.0,
        skipped_steps=0,
    )


def epoch(number, fused, phase=1):
    scores = {} if fused is None else {"text": 0.1, "fused": fused}
    return SimpleNamespace(
        phase=phase,
        phase_name="frozen",
        epoch=number,
        num_epochs=3,
        train_loss=1.0,
        val_macro_f1=scores,
    )


def test_the_time_left_is_that_of_the_steps_and_evaluations_to_come():
    progress, now = RetrainProgress(0.0), 0.0
    seen = []
    for e in (1, 2, 3):
        for s in (1, 2, 3, 4):
            now += 2.0
            progress.step(step(e, s), now)
            seen.append((e, s, progress.fields["eta_s"]))
        now += 5.0
        progress.epoch(epoch(e, 0.5), now)
        seen.append((e, "val", progress.fields["eta_s"]))
    assert seen[0] == (1, 1, None), "one step alone has no length yet"
    assert seen[3] == (1, 4, 16.0), "8 steps of 2 s; no evaluation was seen yet"
    assert seen[4] == (1, "val", 8 * 2 + 2 * 5)
    assert seen[-2] == (3, 4, 5.0)
    assert seen[-1] == (3, "val", 0.0)


def test_one_slow_step_does_not_frighten_anyone():
    progress, now = RetrainProgress(0.0), 0.0
    for s, seconds in enumerate((1, 1, 1, 60), start=1):
        now += seconds
        progress.step(step(1, s), now)
    assert progress.fields["eta_s"] == 8.0


def test_another_phase_is_measured_anew():
    progress, now = RetrainProgress(0.0), 0.0
    for s in (1, 2, 3):
        now += 1.0
        progress.step(step(1, s), now)
    progress.step(step(1, 1, phase=2), now + 100)
    assert progress.fields["eta_s"] is None
    progress.step(step(1, 2, phase=2), now + 110)
    assert progress.fields["eta_s"] == 10 * 10.0


def test_photos_are_counted_at_their_own_pace():
    progress = RetrainProgress(0.0)
    progress.counted("reading photos", 8, 80, 3.0)
    assert progress.fields["eta_s"] is None
    progress.counted("reading photos", 16, 80, 7.0)
    assert progress.fields["eta_s"] == 64 * 0.5
    assert (progress.fields["stage_number"], progress.fields["done"]) == (2, 16)


def test_the_best_score_stays():
    progress = RetrainProgress(0.0)
    for number, fused in enumerate((0.4, 0.7, 0.6), start=1):
        progress.step(step(number, 1), float(number))
        progress.epoch(epoch(number, fused), number + 0.5)
    assert (progress.fields["macro_f1"], progress.fields["best_macro_f1"]) == (0.6, 0.7)


def test_without_val_products_there_is_no_score_and_no_harm():
    progress = RetrainProgress(0.0)
    progress.step(step(1, 1), 1.0)
    progress.epoch(epoch(1, None), 2.0)
    assert progress.fields["macro_f1"] is None and progress.fields["best_macro_f1"] is None


def test_the_curves_go_on_where_another_attempt_stopped():
    first = RetrainProgress(0.0)
    for number, fused in ((1, 0.4), (2, 0.5), (3, 0.6)):
        first.epoch(epoch(number, fused), 1.0)
    first.epoch(epoch(1, 0.7, phase=2), 1.0)
    # its checkpoint was that of epoch 2: the third, and what came after, are trained again
    second = RetrainProgress(9.0, first.fields["history"])
    second.epoch(epoch(3, 0.65), 10.0)
    seen = [(e["phase"], e["epoch"], e["val_macro_f1"]["fused"]) for e in second.fields["history"]]
    assert seen == [(1, 1, 0.4), (1, 2, 0.5), (1, 3, 0.65)]

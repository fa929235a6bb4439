"""Which tests are left out of the shorter lanes: `make test-fast`, `make test`, `make test-all`.

An entry is a file, a folder or the start of a test's name in one; what is in neither table is in
all lanes. docs/testing.md says what the lanes cost.
"""

from __future__ import annotations

# Left out of test-fast: trainings, DVC, processes of their own, and YAML read many times over.
MEDIUM = (
    "tests/benchmarks/test_contestants.py",
    "tests/dvc",
    "tests/experiments/test_settings.py",
    "tests/orchestration/test_dvc_processes.py",
    "tests/orchestration/test_gpus.py::test_no_gpu_has_two",
    "tests/orchestration/test_repro.py",
    "tests/orchestration/test_run_lock.py::test_a_",
    "tests/pipeline/params/checks/test_remedies.py",
    "tests/pipeline/params/test_profiles.py",
    "tests/pipeline/soft_labels/test_targets.py::test_they_are_those_of_the_whole_file",
    "tests/pipeline/training/losses/test_features_of_encoders.py",
    "tests/pipeline/training/resume/test_resume.py",
    "tests/pipeline/training/test_finetune.py",
    "tests/pipeline/training/test_shards.py",
    "tests/pipeline/training/test_step.py",
    "tests/pipeline/training/test_trainer.py",
    "tests/scripts/test_dependencies.py::test_what_python_loads_is_listed",
    "tests/stages/test_compare.py",
    "tests/stages/test_ensemble.py",
    "tests/stages/test_help.py::test_help_loads_no_heavy_library",
    "tests/stages/test_kills.py",
)

# Only in test-all. The usual lane keeps one run of a project through DVC, one training that is
# killed and goes on, and interruptions of a stage and of the driver.
SLOW = (
    "tests/benchmarks/test_contestants.py::test_a_contestant_in_a_process_of_its_own",
    "tests/dvc/test_interruption.py::test_a_disk_that_takes_nothing",
    "tests/dvc/test_members.py",
    "tests/dvc/test_own_files.py",
    "tests/dvc/test_reruns.py",
    "tests/dvc/test_scratch.py::test_a_fresh_clone",
    "tests/dvc/test_scratch.py::test_figures_and_plots",
    "tests/dvc/test_scratch.py::test_from_scratch_side_by_side",
    "tests/orchestration/test_dvc_processes.py::test_a_killed_dvc",
    "tests/orchestration/test_dvc_processes.py::test_a_killed_driver_leaves_no_stage_behind[1]",
    "tests/orchestration/test_dvc_processes.py::test_an_interruption_ends_every_stage_and_starts"
    "_no_other[2-1",
    "tests/orchestration/test_dvc_processes.py::test_an_interruption_ends_every_stage_and_starts"
    "_no_other[15-",
    "tests/orchestration/test_repro.py::test_a_failure_stops_only_what_needs_it[1]",
    "tests/orchestration/test_repro.py::test_it_stops_at_a_named_stage[1]",
    "tests/orchestration/test_run_lock.py::test_a_second_run_is_told_and_the_first_goes_on[1]",
    "tests/orchestration/test_run_lock.py::test_a_torn_note_does_not_stop_a_run[1]",
    "tests/pipeline/test_paper.py",
    "tests/stages/test_accelerate.py",
    "tests/stages/test_kills.py::test_a_stage_that_outlives",
    "tests/stages/test_kills.py::test_at_",
)


def of(test: str) -> set[str]:
    """Markers of a test by its node id."""
    tables = {"medium": MEDIUM, "slow": SLOW}
    return {lane for lane, starts in tables.items() if test.startswith(starts)}

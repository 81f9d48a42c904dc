"""The tables of docs/benchmarks, made of result files: a function from a result to Markdown for each file."""

from benchmarks.tables.auto import search_race, search_simulation, search_table
from benchmarks.tables.diagnosis import diagnosis, learning_probability, monitor, reports
from benchmarks.tables.search import crash, damage, keras_tuner_search, many_trials, search_cost
from benchmarks.tables.serving import serving
from benchmarks.tables.training import (
    augmentation,
    batchnorm_short_runs,
    batchnorm_statistics,
    epoch_stall,
    lr_find,
    throughput,
    time_to_accuracy,
)

# name of the result file -> its tables
TABLES = {
    "augmentation": augmentation,
    "batchnorm_short_runs": batchnorm_short_runs,
    "batchnorm_statistics": batchnorm_statistics,
    "crash": crash,
    "damage": damage,
    "diagnosis": diagnosis,
    "epoch_stall": epoch_stall,
    "keras_tuner_search": keras_tuner_search,
    "learning_probability": learning_probability,
    "lr_find": lr_find,
    "many_trials": many_trials,
    "monitor": monitor,
    "reports": reports,
    "reports_held_out": reports,
    "search_cost": search_cost,
    "search_race": search_race,
    "search_simulation": search_simulation,
    "search_table": search_table,
    "serving": serving,
    "throughput": throughput,
    "time_to_accuracy": time_to_accuracy,
}

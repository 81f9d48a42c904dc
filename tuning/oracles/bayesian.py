"""Bayesian optimization of a study: a Gaussian process over the configurations tried."""

from keras_tuner.oracles import BayesianOptimizationOracle

from tuning.oracles.base import DurableOracle
from tuning.oracles.gaussian_process import MIN_RANDOM_TRIALS, propose


class BayesianOracle(DurableOracle, BayesianOptimizationOracle):
    """A Gaussian process over the configurations tried, after a third of them at random."""

    def sample_untried(self) -> dict | None:
        n_started = self.n_started()
        if n_started < max(MIN_RANDOM_TRIALS, (self.max_trials or 0) // 3, len(self.initial_configurations)):
            return super().sample_untried()
        values = propose(
            self.hyperparameters,
            list(self.trials.values()),
            self._duplicate,
            key=f"{self.seed}/{n_started}",
            seed=self.seed,
            alpha=self.alpha,
            beta=self.beta,
            maximize=self.sign > 0,
        )
        return values or super().sample_untried()

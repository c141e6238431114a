# Fit R's nnet to the data in DIR for a number of iterations; called by _peers.py.
# In: x.csv, y.csv (one column of zeros and ones per output), decay.csv (one value per weight).
# Out: the weights in weights.csv, and on standard output the mean time of a fit in seconds
# and whether it stopped before the last iteration (0) or not (1).
library(nnet)
args <- commandArgs(trailingOnly = TRUE)
dir <- args[1]
size <- as.integer(args[2])
iterations <- as.integer(args[3])
read <- function(name) as.matrix(read.csv(file.path(dir, name), header = FALSE))
x <- unname(read("x.csv"))
y <- unname(read("y.csv"))
decay <- as.vector(read("decay.csv"))
fit <- function() {
  set.seed(0)
  nnet(x, y, size = size, decay = decay, softmax = ncol(y) > 1, entropy = ncol(y) == 1,
       maxit = iterations, MaxNWts = 1e6, abstol = -1e300, reltol = 0, trace = FALSE)
}
calls <- 0
start <- proc.time()[["elapsed"]]
repeat {
  model <- fit()
  calls <- calls + 1
  elapsed <- proc.time()[["elapsed"]] - start
  if (elapsed > 0.2) break
}
write.table(model$wts, file.path(dir, "weights.csv"), row.names = FALSE, col.names = FALSE)
cat(elapsed / calls, model$convergence, "\n")

# Times survival::survreg on one data set and prints what it found, for estimator.py to read.
#
#   Rscript survreg.R FOLDER FAMILY:SECONDS:AT_LEAST:AT_MOST,... BLOCK_SECONDS FIRST_COUNTS_SECONDS
#
# FOLDER holds 64-bit floats as NumPy writes them: low, high (NaN = open), weights, and exog column by column, the
# constant first. A family is fitted at least and at most so many times, and between these until so many seconds
# have passed. Short fits are timed in blocks that last BLOCK_SECONDS, because R's clock has milliseconds; the first
# fit counts only if it is longer than FIRST_COUNTS_SECONDS, else it is the warm-up. Reading the data and building
# the response stay outside the clock.

given <- commandArgs(trailingOnly = TRUE)
folder <- given[1]
plans <- strsplit(strsplit(given[2], ",")[[1]], ":")
block_seconds <- as.numeric(given[3])
first_counts_seconds <- as.numeric(given[4])

if (!requireNamespace("survival", quietly = TRUE)) quit(status = 3)
library(survival)

read <- function(name) {
  path <- file.path(folder, name)
  readBin(path, "double", n = file.size(path) / 8, endian = "little")
}
low <- read("low")
high <- read("high")
weights <- read("weights")
covariates <- matrix(read("exog"), nrow = length(low))[, -1, drop = FALSE]
response <- Surv(ifelse(is.nan(low), NA, low), ifelse(is.nan(high), NA, high), type = "interval2")
weighted <- any(weights != 1)

fit <- function(family) {
  if (weighted) survreg(response ~ covariates, dist = family, weights = weights)
  else survreg(response ~ covariates, dist = family)
}
both <- function(time) c(time[["elapsed"]], time[["user.self"]] + time[["sys.self"]])
clocked <- function(family, times) both(system.time(for (i in seq_len(times)) fit(family))) / times
report <- function(family, what, values) {
  cat(paste(c(family, what, trimws(format(values, digits = 17))), collapse = ","), "\n", sep = "")
}

for (plan in plans) {
  family <- plan[1]
  seconds <- as.numeric(plan[2])
  at_least <- as.integer(plan[3])
  at_most <- as.integer(plan[4])
  said <- NULL
  found <- NULL
  first <- both(system.time(
    found <- tryCatch(
      withCallingHandlers(fit(family), warning = function(w) {
        said <<- conditionMessage(w)
        invokeRestart("muffleWarning")
      }),
      error = function(e) {
        said <<- conditionMessage(e)
        NULL
      }
    )
  ))
  # A comma would part the message from the rest of its line.
  if (!is.null(said)) cat(family, ",note,", gsub("[,\n]", " ", said), "\n", sep = "")
  if (is.null(found)) next
  report(family, "params", c(unname(coef(found)), log(found$scale)))
  report(family, "llf", found$loglik[2])
  if (first[1] > first_counts_seconds) {
    times <- 1
    taken <- cbind(first)
  } else {
    times <- ceiling(block_seconds / max(clocked(family, 10)[1], 1e-4))
    taken <- matrix(numeric(), nrow = 2)
  }
  while (ncol(taken) < at_least || (ncol(taken) < at_most && sum(taken[1, ]) * times < seconds)) {
    taken <- cbind(taken, clocked(family, times))
  }
  report(family, "seconds", taken[1, ])
  report(family, "cpu_seconds", taken[2, ])
}

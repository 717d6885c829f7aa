"use strict";

const { default: TestRunner } = require("jest-runner");

/** Runs the spec files one after another in one worker, whatever the run's own number of workers is. */
module.exports = class OneAtATimeRunner extends TestRunner {
  constructor(globalConfig, context) {
    super({ ...globalConfig, maxWorkers: 1 }, context);
  }
};

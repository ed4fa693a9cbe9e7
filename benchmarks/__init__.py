"""Speed beside what a user would pick instead: measured, stored, shown; timings decide no test."""

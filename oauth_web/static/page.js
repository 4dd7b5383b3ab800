// What the page does better with JavaScript; it does everything without, too.
"use strict";

<?php

namespace OPNsense\YORI\Migrations;

use OPNsense\Base\BaseModelMigration;

/** The first version: there is nothing to bring along. */
class M1_0_0 extends BaseModelMigration
{
    public function run($model)
    {
        parent::run($model);
    }
}
